import { describe, expect, it } from 'vitest';
import { EVERY_KIND } from './oracle.ts';
import { runChaos } from './run.ts';

describe.each(['redis', 'postgres'] as const)('a short storm on %s', (backend) => {
  it('ends with every alert, decision and block that SQL asks for, and no other', async () => {
    const result = await runChaos({
      seed: 42,
      minutes: 0.6,
      backend,
      kills: 6,
      bulkRows: 20_000,
      say: () => undefined,
    });
    expect(result.expected).toBeGreaterThan(100);
    // How often is a matter of the machine.
    for (const id of EVERY_KIND) expect(result.alerts[id], id).toBeGreaterThan(0);
    const logs = `logs in ${result.directory}`;
    expect(result.missing, logs).toEqual([]);
    expect(result.extra, logs).toEqual([]);
  }, 720_000);
});
