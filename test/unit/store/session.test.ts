import { createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { endSession } from '../../../src/store/session.ts';

/** Lets everybody in (AuthenticationOk, ReadyForQuery), and then says nothing any more, not even goodbye. */
async function silentServer(): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(Buffer.from('520000000800000000' + '5a0000000549', 'hex')));
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

test.each(['idle', 'asked'])(
  'a session whose server is gone without a word ends all the same (%s)',
  async (was) => {
    const client = new Client({
      host: '127.0.0.1',
      port: await silentServer(),
      user: 'weir',
      pipeline: true,
    });
    client.on('error', () => undefined);
    await client.connect();
    const answer = was === 'asked' ? client.query('select 1').catch(() => 'failed') : null;
    const ended = endSession(client).then(() => 'ended');
    expect(await Promise.race([ended, delay(500).then(() => 'waits')])).toBe('waits');
    expect(await Promise.race([ended, delay(3_000).then(() => 'hangs')])).toBe('ended');
    if (answer !== null) expect(await answer).toBe('failed');
  },
);
