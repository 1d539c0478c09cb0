import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/rules/duration.ts';
import { ruleSchemaJson } from '../../../src/rules/schema.ts';
import { readRuleFiles } from '../../../src/rules/source-files.ts';

function directory(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'weir-rules-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

test('a directory is read whole, in the order of its names, rule files only', () => {
  const root = directory({
    'b.yml': 'b',
    'a/z.yaml': 'z',
    'c.yaml': 'c',
    'README.md': '',
    '.hidden/x.yaml': '',
    '.y.yaml': '',
  });
  expect(readRuleFiles(root)).toEqual([
    { name: 'a/z.yaml', path: join(root, 'a/z.yaml'), text: 'z' },
    { name: 'b.yml', path: join(root, 'b.yml'), text: 'b' },
    { name: 'c.yaml', path: join(root, 'c.yaml'), text: 'c' },
  ]);
});

test('directories named examples are read only where they are named', () => {
  const root = directory({
    'a.yaml': 'a',
    'b/examples/c.yaml': 'c',
    'examples/d.yaml': 'd',
    'examples/e/f.yaml': 'f',
  });
  const names = (path: string): string[] => readRuleFiles(path).map(({ name }) => name);
  expect(names(root)).toEqual(['a.yaml']);
  expect(names(join(root, 'examples'))).toEqual(['d.yaml', 'e/f.yaml']);
});

test('a mounted ConfigMap, whose files are links, is read once', () => {
  const root = directory({ '..2026_01/a.yaml': 'a' });
  symlinkSync('..2026_01', join(root, '..data'));
  symlinkSync('..data/a.yaml', join(root, 'a.yaml'));
  expect(readRuleFiles(root).map(({ name, text }) => [name, text])).toEqual([['a.yaml', 'a']]);
});

test('one file is a rule set', () => {
  const root = directory({ 'a.yaml': 'a', 'b.yaml': 'b' });
  expect(readRuleFiles(join(root, 'b.yaml')).map(({ name, text }) => [name, text])).toEqual([
    ['b.yaml', 'b'],
  ]);
});

test('an empty directory, a path that is not there and a text that is not UTF-8 are refused by name', () => {
  const root = directory({ 'README.md': '' });
  expect(() => readRuleFiles(root)).toThrow(`no rules: ${JSON.stringify(root)} has no *.yaml or *.yml file`);
  expect(() => readRuleFiles(join(root, 'nowhere'))).toThrow(/^cannot read rules from ".*nowhere": ENOENT/);
  writeFileSync(join(root, 'bad.yaml'), Buffer.from([0xff, 0xfe]));
  expect(() => readRuleFiles(root)).toThrow(/^cannot read rules from ".*bad\.yaml"/);
});

test.each([
  ['250ms', 250_000],
  ['30s', 30_000_000],
  ['5m', 300_000_000],
  ['1h', 3_600_000_000],
  ['7d', 604_800_000_000],
  ['0s', 0],
])('%s is a duration of %d microseconds', (text, micros) => {
  expect(parseDuration(text)).toBe(micros);
  expect(formatDuration(micros)).toBe(text);
});

test.each(['', '5', 's', '1.5h', '1h30m', '5 m', '-5m', '5M', '1w'])('%j is none', (text) => {
  expect(parseDuration(text)).toBeNull();
});

test('the JSON Schema is draft-07, strict, and takes x-… keys', () => {
  const schema = ruleSchemaJson();
  expect(schema).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    additionalProperties: false,
    patternProperties: { '^x-': {} },
    required: ['version'],
    properties: {
      version: { const: 1 },
      patterns: { items: { required: ['id', 'steps'], additionalProperties: false } },
      rankings: { not: {} },
      rules: {
        items: { required: ['id', 'event'], additionalProperties: false, patternProperties: { '^x-': {} } },
      },
    },
  });
});
