import { describe, expect, test } from 'vitest';
import { compileRules } from '../../../src/rules/compile-rules.ts';
import { compileStored } from '../../../src/rules/stored.ts';
import { catalogOf, compile, mistakes, planOf, table } from './fixtures.ts';

const COLUMNS = { id: 'int8', user_id: 'int8', amount: 'numeric', country: 'text', note: 'text' };
const SHORT = `version: 1
events:
  transaction: { table: transactions, ops: [insert, update] }
rules:
  - { id: r, event: transaction, when: amount > 1, block: { by: user_id, for: 1h }, actions: [block] }
`;

describe('the catalog', () => {
  test('gives the columns and types that the rules do not say', () => {
    expect(planOf(SHORT, catalogOf(table('transactions', COLUMNS))).tables[0]?.columns).toEqual([
      { name: 'id', pgType: 'int8', type: 'double' },
      { name: 'user_id', pgType: 'int8', type: 'double' },
      { name: 'amount', pgType: 'numeric', type: 'double' },
    ]);
  });

  test('is what `columns:` is compared with', () => {
    const text = SHORT.replace(
      'ops: [insert, update]',
      'columns: { id: int8, amount: text, user_id: int4, amuont: int8 }',
    );
    expect(mistakes(text, catalogOf(table('transactions', COLUMNS)))).toEqual([
      '3:68: error: column "amount" of "public.transactions" is numeric (double in conditions, not string) (write: amount: numeric)',
      '3:83: warning: column "user_id" of "public.transactions" is int8, not int4 (write: user_id: int8)',
      '3:89: error: table "public.transactions" has no column "amuont" (did you mean amount?)',
    ]);
    expect(
      mistakes(
        text.replace(/columns.*\]|columns: \{.*?\}/, 'columns: { id: bigint, amount: "numeric(12,2)" }'),
        catalogOf(table('transactions', COLUMNS)),
      ),
    ).toEqual([]);
  });

  test('refuses what the host could not bear, or PostgreSQL would not send', () => {
    const none = table('transactions', COLUMNS, { primaryKey: [], identityColumns: [] });
    expect(mistakes(SHORT, catalogOf(none))).toEqual([
      '3:44: error: table "public.transactions" has no replica identity (default): once its updates are published, its own UPDATE and DELETE fail (give it a primary key, or capture inserts only)',
    ]);
    const generated = table('transactions', COLUMNS);
    const columns = generated.columns.map((one) => ({ ...one, generated: one.name === 'amount' }));
    expect(mistakes(SHORT, catalogOf({ ...generated, columns }))).toEqual([
      '5:40: warning: column "amount" of "public.transactions" is generated: PostgreSQL sends it from 18 on, if it is stored (use the columns that it is made from)',
    ]);
    expect(
      mistakes(SHORT.replace('amount > 1', 'amount > old.amount'), catalogOf(table('transactions', COLUMNS))),
    ).toEqual([
      '5:49: error: old.amount is not known: of an old row "public.transactions" sends only id (ALTER TABLE public.transactions REPLICA IDENTITY FULL)',
    ]);
    expect(
      mistakes(SHORT.replace('transactions', 'transacions'), catalogOf(table('transactions', COLUMNS))),
    ).toEqual(['3:25: error: table "public.transacions" does not exist (did you mean public.transactions?)']);
  });
});

describe('a time without a zone', () => {
  const timed = (column: string) => SHORT.replace('ops: [insert, update]', `time: ${column}, lateness: 5s`);
  const zoneless = catalogOf(
    table('transactions', { ...COLUMNS, timestamp: 'timestamptz', at_noon: 'timestamp' }),
  );

  test('is told with the fix, by the type and not by the name of the column', () => {
    expect(mistakes(timed('timestamp'), zoneless)).toEqual([]);
    expect(mistakes(timed('at_noon'), zoneless)).toEqual([
      '3:45: warning: "at_noon" is a timestamp without time zone: it is read as UTC (make it timestamptz, or make sure that the host writes UTC)',
    ]);
  });

  test('is told of declared columns too; one that is not declared has a zone', () => {
    const declared = (more: string) =>
      timed('timestamp').replace(
        'lateness',
        `columns: { id: int8, user_id: int8, amount: numeric${more} }, lateness`,
      );
    expect(mistakes(declared(''))).toEqual([]);
    expect(mistakes(declared(', timestamp: timestamp'))).toEqual([
      expect.stringContaining('"timestamp" is a timestamp without time zone'),
    ]);
  });
});

describe('a stored rule set', () => {
  const catalog = catalogOf(table('transactions', COLUMNS), table('elsewhere', { id: 'int8' }));
  const tested = `${SHORT}  - { id: s, event: transaction, tests: [{ name: x, events: [{ note: a }], expect: { hits: 1 } }] }\n`;

  test('compiles to the same plan and the same version', () => {
    const { plan, content } = compile(tested, catalog);
    const stored = compileStored(content);
    expect(stored.version).toBe(plan?.version);
    expect(JSON.stringify(stored)).toBe(JSON.stringify(plan));
  });

  test('is the same whatever other tables and columns there are, and another with another type', () => {
    const version = (columns: Readonly<Record<string, string>>) =>
      compile(tested, catalogOf(table('transactions', columns))).plan?.version;
    expect(version(COLUMNS)).toBe(compile(tested, catalog).plan?.version);
    expect(version({ ...COLUMNS, more: 'text' })).toBe(version(COLUMNS));
    expect(version({ ...COLUMNS, note: 'int8' })).toBe(version(COLUMNS));
    expect(version({ ...COLUMNS, amount: 'float8' })).not.toBe(version(COLUMNS));
  });

  test('does not depend on the order or the place of its files', () => {
    const [events, rules] = [SHORT.split('rules:\n')[0] ?? '', SHORT.split('rules:\n')[1] ?? ''];
    const files = [
      { name: 'a.yaml', path: '/x/a.yaml', text: `version: 1\nrules:\n${rules}` },
      { name: 'b.yaml', path: '/x/b.yaml', text: events },
    ];
    const moved = files.map(({ name, text }) => ({ name, path: `./${name}`, text })).reverse();
    const [here, there] = [compileRules(files, catalog), compileRules(moved, catalog)];
    expect(here.plan).not.toBeNull();
    expect(there.content).toBe(here.content);
  });

  test('that this version cannot read is refused with the fix', () => {
    expect(() => compileStored('{}')).toThrow(/^rule set [0-9a-f]{64} of weir\.rule_versions is of no use/);
  });
});
