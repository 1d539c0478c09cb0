import { expect, test } from 'vitest';
import type { ListChange, ListLog } from '../../../src/store/list-log.ts';
import { ListSets } from '../../../src/store/list-sets.ts';

/** The rules seed `l` with s. */
const plan = { lists: new Map([['l', new Set(['s'])]]) };

/** A store of lists in memory that counts what is asked of it. */
class Log implements ListLog {
  readonly since = new Map<string, number>();
  readonly changes: ListChange[] = [];
  readonly read: ListLog['read'];
  acknowledged = 0;
  entriesRead = 0;
  reads = 0;
  /** The connection is lost after so many changes more. */
  failsAfter = Infinity;

  constructor() {
    this.read = async (_, work) => {
      this.reads += 1;
      return work({
        revision: this.changes.reduce((last, { toggle }) => Math.max(last, Math.abs(toggle)), 0),
        acknowledged: this.acknowledged,
        since: this.since,
        entries: async (list, take) => {
          this.entriesRead += 1;
          for (const value of this.#now(list)) take(value);
        },
        changes: async (lists, after, take) => this.#tell(lists, after, take),
      });
    };
  }

  toggle(revision: number, value: string, added = true): void {
    if (!this.since.has('l')) this.since.set('l', revision);
    this.changes.push({ list: 'l', value, toggle: added ? revision : -revision });
  }

  #now(list: string): ReadonlySet<string> {
    const now = new Set<string>();
    for (const { list: of, value, toggle } of this.changes)
      if (of === list && toggle > 0) now.add(value);
      else if (of === list) now.delete(value);
    return now;
  }

  #tell(lists: readonly string[], after: number, take: (change: ListChange) => void): void {
    for (const change of this.changes) {
      if (!lists.includes(change.list) || Math.abs(change.toggle) <= after) continue;
      if (this.failsAfter === 0) throw new Error('the connection is lost');
      this.failsAfter -= 1;
      take(change);
    }
  }
}

async function inList(sets: ListSets, revision: number, values = ['s', 'a', 'b']): Promise<string> {
  const [list] = await sets.at(plan, revision);
  return values.filter((value) => list?.has(value)).join('');
}

test('before the first revision, and before the list was made, it is as the rules seed it', async () => {
  const log = new Log();
  const sets = new ListSets(log);
  expect(await inList(sets, 0)).toBe('s');
  expect(log.reads).toBe(0);
  log.toggle(3, 'a');
  expect([await inList(sets, 2), await inList(sets, 3)]).toEqual(['s', 'a']);
});

test('partitions that ask at once, for whatever revision, load it once', async () => {
  const log = new Log();
  const sets = new ListSets(log);
  log.toggle(1, 'a');
  log.toggle(2, 'b');
  expect(await Promise.all([2, 1, 2, 1].map((revision) => inList(sets, revision)))).toEqual([
    ...['ab', 'a', 'ab', 'a'],
  ]);
  expect([log.reads, log.entriesRead]).toEqual([1, 1]);
});

test('a later revision costs its changes, and older ones stay what they were', async () => {
  const log = new Log();
  const sets = new ListSets(log);
  log.toggle(1, 'a');
  expect(await inList(sets, 1)).toBe('a');
  log.toggle(2, 'a', false);
  log.toggle(3, 'b');
  expect([await inList(sets, 3), await inList(sets, 2), await inList(sets, 1)]).toEqual(['b', '', 'a']);
  expect([log.reads, log.entriesRead]).toEqual([2, 1]);
});

test('a list that is made while others wait for it is found', async () => {
  const log = new Log();
  const sets = new ListSets(log);
  log.changes.push({ list: 'another', value: 'x', toggle: 1 });
  expect(await inList(sets, 1)).toBe('s');
  log.toggle(2, 'b');
  expect([await inList(sets, 1), await inList(sets, 2)]).toEqual(['s', 'b']);
});

test('a reading that fails half-way changes nothing, and the next one is whole', async () => {
  const log = new Log();
  const sets = new ListSets(log);
  log.toggle(1, 'a');
  await inList(sets, 1);
  log.toggle(2, 'a', false);
  log.toggle(3, 'a');
  log.failsAfter = 1;
  await expect(inList(sets, 3)).rejects.toThrow('the connection is lost');
  expect(await inList(sets, 1)).toBe('a');
  log.failsAfter = Infinity;
  expect([await inList(sets, 1), await inList(sets, 2), await inList(sets, 3)]).toEqual(['a', '', 'a']);
});

test('a revision that the store does not have is said to be missing', async () => {
  const log = new Log();
  log.toggle(1, 'a');
  await expect(inList(new ListSets(log), 2)).rejects.toMatchObject({
    code: 'WEIR_LISTS_UNKNOWN',
    message: expect.stringContaining('the last in weir.list_revisions is 1'),
    retry: 'after-operator',
  });
});
