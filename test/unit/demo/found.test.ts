import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { describeFound } from '../../../src/demo/found.ts';

test('a sequence is shown as its message and a line for each step, with time and amount in columns', () => {
  const from = { user_id: 7, country: 'BR', device_id: 'd9' };
  const shown = describeFound({
    alert_id: 'a',
    detected_at: '10:00:05',
    rule_id: 'fraud_sequence',
    message: '5500 moved by user 7',
    after_ms: 41.6,
    steps: [
      { step: 'login', at: '10:00:00.250', columns: { id: 1, user_id: 7, country: 'DE' } },
      { step: 'transfer', at: '10:00:02.500', columns: { ...from, amount: 3000, receiver_id: null } },
      { step: 'transfer', at: '10:00:04.000', columns: { ...from, amount: '2500.5', receiver_id: 9 } },
    ],
  });
  expect(shown.map(stripVTControlCharacters)).toEqual([
    '10:00:05  found      5500 moved by user 7  fraud_sequence, 42 ms after its last step',
    '          10:00:00.250  login                user 7 from DE',
    '          10:00:02.500  transfer    3000.00  user 7 on d9 from BR',
    '          10:00:04.000  transfer    2500.50  user 7 to 9 on d9 from BR',
  ]);
});
