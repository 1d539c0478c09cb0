import { expect, test } from 'vitest';
import { RuleSets } from '../../../src/store/rule-sets.ts';
import { plan } from '../source/plans.ts';

function sets(stored: Map<string, string>) {
  const read: string[] = [];
  const getRules = async (version: string) => {
    read.push(version);
    return stored.get(version) ?? null;
  };
  return { read, sets: new RuleSets({ getRules }, (content) => plan(content, [])) };
}

test('a rule set is read from the store and compiled once', async () => {
  const { read, sets: own } = sets(new Map([['v1', 'v1']]));
  const [one, other] = await Promise.all([own.get('v1'), own.find('v1')]);
  expect(one).toBe(other);
  expect(one.version).toBe('v1');
  expect(read).toEqual(['v1']);
});

test('one that is not there is asked for again, since it may come', async () => {
  const stored = new Map<string, string>();
  const { sets: own } = sets(stored);
  expect(await own.find('v1')).toBeNull();
  await expect(own.get('v1')).rejects.toMatchObject({ code: 'WEIR_RULES_UNKNOWN', retry: 'after-operator' });
  stored.set('v1', 'v1');
  expect((await own.get('v1')).version).toBe('v1');
});

test('a store that did not answer is asked again', async () => {
  let away = true;
  const getRules = () => (away ? Promise.reject(new Error('away')) : Promise.resolve('v1'));
  const own = new RuleSets({ getRules }, (content) => plan(content, []));
  await expect(own.get('v1')).rejects.toThrow('away');
  away = false;
  expect((await own.get('v1')).version).toBe('v1');
});
