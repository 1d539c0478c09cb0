import { expect, test } from 'vitest';
import { startReplication } from '../../../src/source/pgoutput/plugin.ts';

test('the stream starts at an LSN, with messages, from each publication by its exact name', () => {
  expect(startReplication('weir', '16/B374D848', ['weir_insert', 'weir_insert_update'])).toBe(
    `START_REPLICATION SLOT "weir" LOGICAL 16/B374D848 (proto_version '1', ` +
      `publication_names '"weir_insert","weir_insert_update"', messages 'true')`,
  );
});

test('names with quotes, commas and capitals stay one name each', () => {
  expect(startReplication('weir', '0/0', [`It's, "mine"`])).toContain(
    `publication_names '"It''s, ""mine"""', messages`,
  );
});

test('what is not an LSN never reaches PostgreSQL', () => {
  expect(() => startReplication('weir', "0/0 (x '1')", ['p'])).toThrow('not an LSN');
});
