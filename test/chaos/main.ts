import { parseArgs } from 'node:util';
import { runChaos } from './run.ts';
import type { Backend } from './world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '9' },
    backend: { type: 'string', default: 'redis' },
    kills: { type: 'string', default: '24' },
    'bulk-rows': { type: 'string', default: '100000' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help || !['redis', 'postgres'].includes(values.backend)) {
  console.error(
    'npm run test:chaos -- --seed N --minutes M --backend redis|postgres [--kills N] [--bulk-rows N]',
  );
  process.exit(values.help ? 0 : 2);
}

const result = await runChaos({
  seed: Number(values.seed),
  minutes: Number(values.minutes),
  backend: values.backend as Backend,
  kills: Number(values.kills),
  bulkRows: Number(values['bulk-rows']),
  say: (line) => console.error(line),
});

for (const line of result.missing.slice(0, 20)) console.log(`missing: ${line}`);
for (const line of result.extra.slice(0, 20)) console.log(`extra: ${line}`);
console.log(
  `seed ${values.seed}, ${values.backend}: ${result.rows} rows, ${result.kills} kills, ${result.faults.length} faults, ${result.expected} effects expected; logs in ${result.directory}`,
);
console.log(`alerts expected: ${JSON.stringify(result.alerts)}`);
console.log(`missing ${result.missing.length}, extra ${result.extra.length}`);
process.exit(result.missing.length + result.extra.length === 0 && result.expected > 0 ? 0 : 1);
