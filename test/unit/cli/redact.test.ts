import { expect, test } from 'vitest';
import { shownUrl, withoutPasswords } from '../../../src/cli/redact.ts';

test('a URL is shown with its user and without its password', () => {
  expect(shownUrl('postgresql://weir:hunter2@db:5432/shop?sslmode=require')).toBe(
    'postgresql://weir:***@db:5432/shop?sslmode=require',
  );
  expect(shownUrl('postgresql:///shop?host=/run&password=hunter2')).not.toContain('hunter2');
  expect(shownUrl('redis://:hunter2@r:6379')).toBe('redis://:***@r:6379');
  expect(shownUrl('not a url')).toBe('not a url');
});

test.each([
  'connect to postgresql://weir:hunter2@db:5432/shop failed',
  '{"input":"postgres://weir:hunter2@db"}',
  'postgres://weir:hunter2@more@db/x',
  'rediss://:hunter2@r:1',
  'http://h/?token=hunter2&x=1',
])('a password in a text is struck out: %s', (text) => {
  const shown = withoutPasswords(text);
  expect(shown).not.toContain('hunter2');
  expect(shown).not.toContain('more');
  expect(shown).toContain('***');
});

test('what is no password stays', () => {
  const text = 'see https://www.postgresql.org/docs/18/a.html:12 and mail@host, key 127.0.0.1:5432';
  expect(withoutPasswords(text)).toBe(text);
});
