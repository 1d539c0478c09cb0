import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { createLogger, print } from '../../../src/cli/io.ts';

class Kept extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    setImmediate(done);
  }
}

function io(terminal: boolean) {
  const [stdout, stderr] = [new Kept({ highWaterMark: 10 }), new Kept()];
  return { stdout, stderr, env: {}, cwd: '/', terminal };
}

test.each([true, false])('no log line shows a password (terminal: %s)', async (terminal) => {
  const to = io(terminal);
  const logger = createLogger(to, { level: 'info', json: false });
  const error = Object.assign(new TypeError('Invalid URL'), { input: 'postgres://u:hunter2@h/d' });
  logger.error({ err: error, url: 'redis://:hunter2@r' }, 'cannot connect to postgres://u:hunter2@h/d');
  await new Promise((resolve) => to.stderr.end(resolve));
  expect(to.stderr.text).toContain('cannot connect to postgres://u:***@h/d');
  expect(to.stderr.text).not.toContain('hunter2');
  expect(to.stdout.text).toBe('');
});

test('logs are JSON lines with a time where nobody reads along, and where --json asks for it', async () => {
  for (const to of [io(false), io(true)]) {
    createLogger(to, { level: 'info', json: true }).info({ slot: 'weir' }, 'starts');
    await new Promise((resolve) => to.stderr.end(resolve));
    expect(JSON.parse(to.stderr.text)).toMatchObject({
      name: 'weir',
      slot: 'weir',
      msg: 'starts',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  }
});

test('print waits for a reader that is slower', async () => {
  const to = io(false);
  await print(to, 'x'.repeat(100));
  expect(to.stdout.writableLength).toBe(0);
});
