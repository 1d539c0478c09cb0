import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commitBatch } from '../../../src/store/commit.ts';
import {
  alertOf,
  closingOf,
  commitOf,
  contributionOf,
  outputs,
  rowAt,
  StoreFixture,
  writer,
} from './fixture.ts';

/** Over what an index entry holds, and no compression helps. */
const TOO_LONG = randomBytes(6_000).toString('hex');
const NOT_A_NUMBER_OF_POSTGRES = '{"amount": 1e999999}';

describe.each([14, 18] as const)('outputs that PostgreSQL refuses, on PostgreSQL %i', (version) => {
  let store: StoreFixture;
  let client: Client;
  beforeAll(async () => {
    store = await StoreFixture.start(version);
    client = await store.client();
  });
  afterAll(() => store.close());
  beforeEach(() => store.reset());

  const letters = () =>
    store.rows<{ rule_id: string; error: string; kind: string }>(
      `select rule_id, error, payload ->> 'kind' as kind from weir.dead_letters order by dead_letter_id`,
    );
  const alertIds = async () =>
    (await store.rows<{ alert_id: string }>('select alert_id from weir.alerts order by 1')).map(
      (r) => r.alert_id,
    );

  it('become dead letters, and everything else of the transaction is committed', async () => {
    const good = Array.from({ length: 40 }, (_, i) => alertOf(`good ${i}`));
    const outcome = await commitBatch(
      client,
      [
        commitOf(0, {
          outputs: outputs({
            alerts: [
              ...good.slice(0, 17),
              alertOf('bad', { rule: 'numbers', detailsJson: NOT_A_NUMBER_OF_POSTGRES }),
              ...good.slice(17),
            ],
            decisions: [
              contributionOf('long', 60, { entityId: TOO_LONG }),
              contributionOf('fine', 60, { position: rowAt(1, 1) }),
            ],
          }),
        }),
        commitOf(1, {
          outputs: outputs({
            blocks: [{ key: 'user_id', value: TOO_LONG, reason: 'too_long', until: Infinity }],
            late: [{ event: 'transaction', position: rowAt(1), at: 1e300, watermark: 0, eventJson: '{}' }],
          }),
        }),
      ],
      writer('me'),
    );
    expect(outcome.get(0)).toEqual({ kind: 'committed', alerts: 40, deadLetters: 2 });
    expect(outcome.get(1)).toEqual({ kind: 'committed', alerts: 0, deadLetters: 2 });
    expect((await letters()).map(({ rule_id, kind }) => [rule_id, kind]).sort()).toEqual([
      ['', 'late event'],
      ['long', 'decision'],
      ['numbers', 'alert'],
      ['too_long', 'block'],
    ]);
    expect(await alertIds()).toEqual(good.map((alert) => alert.alertId).sort());
    expect(await store.rows('select score::text from weir.decisions')).toEqual([{ score: '60' }]);
    expect(await store.rows('select position from weir.checkpoints where partition < 2')).toEqual([
      { position: closingOf(1) },
      { position: closingOf(1) },
    ]);
  });

  it('are only those that are wrong: NUL and lone surrogates are replaced, and the alert is written', async () => {
    const alert = alertOf('a', {
      message: 'NUL \0 and \ud800 alone',
      subjectJson: '{"user": "\\u0000 \\ud800 \\\\u0000 \\ud83d\\ude00"}',
    });
    await commitBatch(client, [commitOf(0, { outputs: outputs({ alerts: [alert] }) })], writer('me'));
    expect(await store.rows('select message, subject from weir.alerts')).toEqual([
      { message: 'NUL \ufffd and \ufffd alone', subject: { user: '\ufffd \ufffd \\u0000 😀' } },
    ]);
    expect(await letters()).toEqual([]);
  });

  it('may be a dead letter itself, which is then kept as plain text', async () => {
    const letter = {
      rule: 'r',
      event: 'e',
      position: rowAt(1),
      error: 'e',
      eventJson: '{"not": json}',
      changeJson: null,
    };
    await commitBatch(client, [commitOf(0, { outputs: outputs({ deadLetters: [letter] }) })], writer('me'));
    expect(await letters()).toEqual([
      { rule_id: 'r', error: expect.stringContaining('invalid input syntax'), kind: 'dead letter' },
    ]);
  });

  it('stop the commit with an error when what is refused is no output', async () => {
    await client.query('drop table weir.blocks');
    const blocks = [{ key: 'user_id', value: '1', reason: 'r', until: Infinity }];
    await expect(
      commitBatch(client, [commitOf(0, { outputs: outputs({ blocks }) })], writer('me')),
    ).rejects.toMatchObject({ code: '42P01' });
  });
});
