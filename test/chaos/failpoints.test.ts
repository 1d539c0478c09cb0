import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../../src/demo/random.ts';
import { closing, parseLsn } from '../../src/events/position.ts';
import { FAILPOINTS, type Failpoint } from '../../src/failpoint.ts';
import { Site } from '../support/site.ts';
import { until } from '../support/until.ts';
import type { WeirProcess } from '../support/weir-process.ts';
import { Bank } from './bank.ts';
import { judge, lastCommit, prepareOracle } from './oracle.ts';
import { CHAOS_SCHEMA, EVERY_USER } from './schema.ts';
import { CHAOS_RULES } from './world.ts';
import { Writer } from './writer.ts';

/** Batches of few rows, and segments that are compacted after few of them. */
const YAML = 'batch: { rows: 100, linger: 5ms }\nstate: { segment_bytes: 8kB }\n';
const PAUSE_MS = 150;

/** The default is the second time: something has gone well before. Some happen once a start. */
const AT_ONCE: readonly Failpoint[] = [
  'ownership.joined',
  'ownership.gained',
  'epoch.requested',
  'epoch.before',
  'epoch.raised',
  'queue.emptied',
  'idle.advanced',
  'rules.stored',
  'lists.seeded',
  'rules.announced',
  'reshard.done',
];

/** The same rules with another list, and another number of partitions: what a start then has to announce or to do. */
const OTHER_RULES: readonly Failpoint[] = ['rules.stored', 'lists.seeded', 'rules.announced'];
const OTHER_PARTITIONS: readonly Failpoint[] = ['reshard.done'];
/** Of another command than `run`. */
const COMMAND: Readonly<Partial<Record<Failpoint, readonly string[]>>> = { 'step.done': ['init', '--apply'] };
/** Nobody writes meanwhile. */
const QUIET: readonly Failpoint[] = ['idle.advanced'];

let site: Site;
let bank: Bank;
let healer: WeirProcess;

beforeAll(async () => {
  bank = await Bank.open();
  site = await Site.open({
    version: 18,
    queue: 'redis',
    schema: CHAOS_SCHEMA,
    rules: CHAOS_RULES,
    yaml: YAML + bank.yaml,
    env: { WEIR_PARTITIONS: '3' },
    prepare: prepareOracle,
  });
  healer = await site.weir('healer', ['run']);
  for (const failpoint of OTHER_RULES) {
    const directory = otherRules(failpoint);
    await cp(CHAOS_RULES, directory, { recursive: true });
    const list = failpoint.replace('.', '_');
    await writeFile(join(directory, 'list.yaml'), `version: 1\nlists: { ${list}: { values: [1] } }\n`);
  }
});

afterAll(async () => {
  await site?.close();
  await bank?.close();
});

describe.each([...FAILPOINTS])('a crash at %s', (failpoint) => {
  it('loses nothing and doubles nothing', async () => {
    const env = circumstances(failpoint);
    await dieAt(failpoint, env);
    const lsn = await site.withClient(async (client) => {
      await client.query(EVERY_USER);
      return lastCommit(client);
    });
    healer.start(env);
    await until(`every partition has committed ${lsn}`, () => isCommitted(lsn), 30_000);
    const verdict = await site.withClient(judge);
    await healer.end('SIGKILL');
    expect(verdict.expected).toBeGreaterThan(0);
    expect(verdict).toMatchObject({ missing: [], extra: [] });
  });
});

it('the receiver of a webhook has been told of each alert in the end, under one id', async () => {
  healer.start();
  const verdict = await site.withClient(async (client) => {
    await bank.settle(client, 60_000);
    return judge(client, bank);
  });
  expect(bank.receiver.taken.size).toBeGreaterThan(20);
  expect(verdict).toMatchObject({ missing: [], extra: [] });
});

/** One for each: the healer may have left those of the failpoint before in force. */
function otherRules(failpoint: Failpoint): string {
  return join(site.directory, `rules-${failpoint}`);
}

function circumstances(failpoint: Failpoint): Readonly<Record<string, string>> {
  return {
    ...(OTHER_RULES.includes(failpoint) ? { WEIR_RULES: otherRules(failpoint) } : {}),
    ...(OTHER_PARTITIONS.includes(failpoint) ? { WEIR_PARTITIONS: '5' } : {}),
  };
}

/** A process that never comes there fails the test. */
async function dieAt(failpoint: Failpoint, env: Readonly<Record<string, string>>): Promise<void> {
  const nth = AT_ONCE.includes(failpoint) ? 1 : 2;
  const armed = await site.weir(failpoint, COMMAND[failpoint] ?? ['run'], env);
  armed.start({ WEIR_FAILPOINT: `${failpoint}@${nth}` });
  const stopping = new AbortController();
  if (QUIET.includes(failpoint)) stopping.abort();
  const writer = new Writer(site.postgres.url, seeded(FAILPOINTS.indexOf(failpoint)), PAUSE_MS);
  const writing = writer.run(stopping.signal);
  try {
    await until(`the process dies at ${failpoint}`, () => !armed.running, 30_000);
  } finally {
    stopping.abort();
    await writing;
    await armed.end('SIGKILL');
  }
  expect(`${armed.exitCode} ${armed.signalCode}`, await armed.log()).toBe('null SIGKILL');
}

async function isCommitted(lsn: string): Promise<boolean> {
  const [row] = await site.rows<{ least: string }>(
    'select min(position collate "C") as least from weir.checkpoints',
  );
  return row !== undefined && row.least >= closing(parseLsn(lsn));
}
