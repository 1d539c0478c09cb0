import pg from 'pg';
import { scopeOf } from '../src/rules/cel/scope.ts';
import { translate } from '../src/rules/guard-sql/translate.ts';
import { valueTypeOf } from '../src/rules/value-type.ts';
import { migrate } from '../src/store/migrate.ts';
import { startPostgres } from './support/postgres.ts';

const p = await startPostgres({ version: 15 });
const c = new pg.Client(p.url);
await c.connect();
await migrate(c);
const q = async (s: string) => {
  try {
    console.log(JSON.stringify((await c.query(s)).rows));
  } catch (e) {
    console.log(String(e));
  }
};
const cols: [string, string][] = [
  ['a', 'float8'],
  ['j', 'int4'],
  ['span', 'interval'],
  ['u', 'uuid'],
  ['p', 'bool'],
  ['s', 'text'],
  ['at1', 'timestamptz'],
];
await c.query(`create table host (${cols.map(([n, t]) => `${n} ${t}`).join(',')})`);
await c.query(
  `insert into host (j, span,u) values (-1, '1 year -2 mons +4 days','00000000-0000-1000-8000-000000000000')`,
);
const scope = scopeOf({
  columns: cols.map(([name, pgType]) => ({ name, pgType, type: valueTypeOf(pgType) })),
  old: false,
  lets: [],
  lists: new Map(),
});
for (const s of process.argv.slice(2)) {
  const r = translate(
    s,
    {
      scope,
      lets: [],
      generated: new Set(),
      reads: { columns: new Set(), lists: new Set(), settings: false },
    },
    'any',
  );
  if ('kind' in r) console.log(r);
  else {
    console.log(r.sql);
    await q(`select ${r.sql} from host as new`);
  }
}
await c.end();
await p.close();
