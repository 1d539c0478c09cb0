import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commitBatch } from '../../../src/store/commit.ts';
import { classify } from '../../../src/store/fault.ts';
import { openClient } from '../../../src/store/session.ts';
import { through } from '../../support/line.ts';
import {
  alertOf,
  closingOf,
  commitOf,
  contributionOf,
  outputs,
  rowAt,
  SLOT,
  START,
  StoreFixture,
  writer,
} from './fixture.ts';

/** Between a client and PostgreSQL; cuts the line once it has passed a COMMIT on, so that the answer is lost. */
class LosesAnswers {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  armed = false;

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const server = connect(port, '127.0.0.1');
      for (const socket of [client, server]) {
        this.#sockets.add(socket.on('error', () => undefined));
      }
      let lost = false;
      client.on('data', (bytes) => {
        lost ||= this.armed && bytes.includes('commit\0');
        server.write(bytes);
      });
      server.on('data', (bytes) => {
        if (!lost) client.write(bytes);
        // ReadyForQuery, idle: the transaction is over, and only this proxy knows.
        else if (bytes.subarray(-6).equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]))) client.destroy();
      });
      client.on('close', () => server.destroy());
      server.on('close', () => client.destroy());
    });
  }

  static async before(port: number): Promise<LosesAnswers> {
    const proxy = new LosesAnswers(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  url(url: string): string {
    return through(this.#server, url);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

describe.each([14, 18] as const)('sessions of the store, on PostgreSQL %i', (version) => {
  let store: StoreFixture;
  beforeAll(async () => {
    store = await StoreFixture.start(version);
  });
  afterAll(() => store.close());
  beforeEach(() => store.reset());

  it('commit once when the answer to COMMIT is lost and the commit is asked for again', async () => {
    const proxy = await LosesAnswers.before(store.postgres.port);
    const client = await openClient({ url: proxy.url(store.postgres.url), slot: SLOT });
    const commit = commitOf(0, {
      outputs: outputs({ alerts: [alertOf('a')], decisions: [contributionOf('r', 60)] }),
    });
    proxy.armed = true;
    const error: unknown = await commitBatch(client, [commit], writer('me')).catch((lost: unknown) => lost);
    expect(classify(error)).toMatchObject({ kind: 'retry', connectionLost: true });
    proxy.close();
    const again = await store.client();
    expect(await store.rows('select position from weir.checkpoints where partition = 0')).toEqual([
      { position: closingOf(1) },
    ]);
    expect((await commitBatch(again, [commit], writer('me'))).get(0)?.kind).toBe('committed');
    expect(await store.rows('select score::text from weir.decisions')).toEqual([{ score: '60' }]);
  });

  it('are durable whatever the host says, and keep what is stronger', async () => {
    const setting = async () => {
      const client = await store.client();
      return (await client.query<{ synchronous_commit: string }>('show synchronous_commit')).rows[0]
        ?.synchronous_commit;
    };
    const database = (value: string) =>
      store.rows(`alter database postgres set synchronous_commit = ${value}`);
    await database('off');
    expect(await setting()).toBe('on');
    await database('remote_apply');
    expect(await setting()).toBe('remote_apply');
    await store.rows('alter database postgres reset synchronous_commit');
    expect(await setting()).toBe('on');
  });

  it('are known by the name of the slot', async () => {
    const client = await store.client();
    const { rows } = await client.query('show application_name');
    expect(rows).toEqual([{ application_name: 'weir/weir' }]);
  });

  it('lose nothing when PostgreSQL crashes between two commits', async () => {
    const client = await store.client();
    await commitBatch(client, [commitOf(0, { outputs: outputs({ alerts: [alertOf('a')] }) })], writer('me'));
    await store.postgres.stop('immediate');
    const next = commitOf(0, {
      expected: closingOf(1),
      to: closingOf(2),
      outputs: outputs({ alerts: [alertOf('b', { position: rowAt(2) })] }),
    });
    const error: unknown = await commitBatch(client, [next], writer('me')).catch((lost: unknown) => lost);
    expect(classify(error)).toMatchObject({ kind: 'retry', connectionLost: true });
    await store.postgres.start();
    const again = await store.client();
    expect((await commitBatch(again, [next], writer('me'))).get(0)?.kind).toBe('committed');
    expect(await store.rows('select alert_id from weir.alerts order by 1')).toEqual([
      { alert_id: 'a' },
      { alert_id: 'b' },
    ]);
    expect(await store.rows('select position from weir.checkpoints order by partition')).toEqual([
      { position: closingOf(2) },
      { position: START },
      { position: START },
      { position: START },
    ]);
  });
});
