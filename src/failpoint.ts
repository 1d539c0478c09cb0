/**
 * Places where a crash would hurt most: just before and just after each effect. Armed by the environment
 * (`WEIR_FAILPOINT=commit.after@3`: the third time), the process kills itself there as SIGKILL would, or hangs
 * (`commit.after@3:SIGSTOP`) until it is sent SIGCONT.
 * Off, a failpoint costs one comparison.
 */
export const FAILPOINTS = [
  'step.done', // a step of init or teardown is done, the next is not begun
  'ownership.joined', // other workers leave this one its share, none of it is taken
  'ownership.gained', // partitions are locked, no epoch asked for
  'epoch.requested', // a worker has asked for an epoch, no source has begun it
  'epoch.before', // the slot is held, the old epoch still stands
  'epoch.raised', // the new epoch stands, the queues still hold the old batches
  'queue.emptied', // nothing queued, nothing streamed yet
  'batch.before', // read from the WAL, not in the queue
  'batch.added', // in the queue, not yet committed
  'fold.done', // folded in memory, nothing written
  'commit.before', // statements sent, perhaps executed; COMMIT not
  'commit.after', // committed, the job not yet completed
  'idle.advanced', // idle partitions moved in one statement
  'compaction.snapshot', // a bucket's snapshot written, its segments still there
  'compaction.truncated', // the old generation is gone
  'ack.recorded', // recorded in the store, not sent to the slot
  'ack.sent', // sent to the slot
  'rules.stored', // the rule set is in the store, not announced
  'lists.seeded', // what rules put into new lists is in the store, the rules are not announced
  'rules.announced', // announced in the stream, not yet read back
  'reshard.done', // another number of partitions in the store, nobody works with it
  'webhook.enqueued', // a delivery is in its queue, its row does not say so
  'webhook.sent', // the receiver has answered, the row does not say so
  'heartbeat.sent', // Weir's own message is in the WAL
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

let armed: { name: string; left: number; signal: 'SIGKILL' | 'SIGSTOP' } | null = parse(
  process.env['WEIR_FAILPOINT'],
);

export function failpoint(name: Failpoint): void {
  if (armed === null || armed.name !== name) return;
  armed.left -= 1;
  if (armed.left > 0) return;
  const { signal } = armed;
  armed = null;
  process.kill(process.pid, signal);
}

function parse(text: string | undefined): typeof armed {
  if (text === undefined || text === '') return null;
  const [point, signal = 'SIGKILL'] = text.split(':');
  const [name, nth] = (point as string).split('@');
  if (!(FAILPOINTS as readonly string[]).includes(name as string)) {
    throw new Error(`WEIR_FAILPOINT: no failpoint ${JSON.stringify(name)}; one of ${FAILPOINTS.join(', ')}`);
  }
  if (signal !== 'SIGKILL' && signal !== 'SIGSTOP')
    throw new Error(`WEIR_FAILPOINT: ${JSON.stringify(signal)} is neither SIGKILL nor SIGSTOP`);
  return { name: name as string, signal, left: nth === undefined ? 1 : Number.parseInt(nth, 10) };
}
