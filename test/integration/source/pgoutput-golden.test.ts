import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { Change, Relation } from '../../../src/source/change.ts';
import { PgoutputDecoder } from '../../../src/source/pgoutput/decoder.ts';
import { captureGolden, type Golden } from '../../support/capture-pgoutput.ts';

const WRITE = process.env['WEIR_GOLDEN'] === 'write';

describe.each([14, 18] as const)('PostgreSQL %i', (version) => {
  test('still sends what the golden bytes hold, whatever the session settings of its host', async () => {
    const captured = await captureGolden(version);
    const file = new URL(`../../unit/source/golden/postgres-${version}.json`, import.meta.url);
    if (WRITE) await writeFile(file, `${JSON.stringify(captured, null, 2)}\n`);
    const golden = JSON.parse(await readFile(file, 'utf8')) as Golden;
    expect(withoutPlaces(captured)).toEqual(withoutPlaces(golden));
  });
});

/** What differs from run to run left out: LSNs, times, transaction ids and OIDs of our own objects. */
function withoutPlaces(golden: Golden): unknown[] {
  const decoder = new PgoutputDecoder();
  const changes = golden.messages.map((hex) => decoder.decode(Buffer.from(hex, 'hex')));
  // PostgreSQL 14 sends transactions that hold nothing for us, such as autovacuum's.
  const kept = changes.filter((change, i) => {
    const empty = change.kind === 'begin' && changes[i + 1]?.kind === 'commit';
    return !empty && !(change.kind === 'commit' && changes[i - 1]?.kind === 'begin');
  });
  return kept.map(strip);
}

function strip(change: Change): unknown {
  switch (change.kind) {
    case 'begin':
    case 'commit':
      return change.kind;
    case 'type':
      return { ...change, oid: 0 };
    case 'message':
      return { ...change, lsn: 0n };
    case 'origin':
      return change;
    case 'truncate':
      return { ...change, relations: change.relations.map(stripRelation) };
    default:
      return { ...change, relation: stripRelation(change.relation) };
  }
}

function stripRelation(relation: Relation): Relation {
  const columns = relation.columns.map((column) => ({
    ...column,
    typeOid: column.typeOid < 16_384 ? column.typeOid : 0,
  }));
  return { ...relation, oid: 0, columns };
}
