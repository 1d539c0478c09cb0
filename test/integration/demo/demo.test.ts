import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../src/demo/postgres-server.ts';
import { until } from '../../support/until.ts';
import { WeirProcess } from '../../support/weir-process.ts';

/** The message and how long after the last step it was found; then the steps. */
const FOUND = /\d moved by user \d+ between .*fraud_sequence, (\d+) ms after its last step\n((?: {10}.*\n)+)/;
const STEPS = /^(\S+ {2}login.*\n)(\S+ {2}large_transfer +\d+\.\d\d .*\n){2,3}(\S+ {2}logout.*\n)$/;

const REFUSED =
  /refused: {3}insert into public\.transactions refused: user_id \d+ is blocked until \S+ by rules \w*location_change \+ shared_device/;

describe('weir demo', () => {
  let directory: string;
  let demo: WeirProcess;
  const shown = (): string => stripVTControlCharacters(demo.stdout);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weir-demo-test-'));
    demo = new WeirProcess({ name: 'demo', args: ['demo'], env: {}, directory, port: await freePort() });
    demo.start();
  });

  afterAll(async () => {
    if (demo.running) await demo.end('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });

  it('shows a fraud sequence, step by step, within a second of its last commit', async () => {
    await until('a fraud sequence is shown', () => FOUND.test(shown()), 40_000);
    const [, afterMs, steps = ''] = FOUND.exec(shown()) ?? [];
    expect(Number(afterMs)).toBeLessThan(1_000);
    expect(steps.replaceAll(/^ {10}/gm, '')).toMatch(STEPS);
  });

  it('shows how the guard refuses what a thief pays with after the block, with the rules that have scored', async () => {
    await until('a payment is refused', () => REFUSED.test(shown()), 40_000);
  });

  it('ends cleanly at Ctrl-C', async () => {
    demo.signal('SIGINT');
    await demo.ended();
    expect(demo.exitCode).toBe(0);
    expect(shown()).toMatch(/stopped; nothing was kept\n$/);
  });
});
