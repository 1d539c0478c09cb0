import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeJobData, queueName, summarize } from '../../../src/queue/batch-job.ts';
import { batch, COMMITTED } from '../../integration/queue/batches.ts';

describe('the name of a queue', () => {
  test('is one that BullMQ takes and an address bar leaves alone, and no two instances share one', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.nat(99),
        (one, other, partition) => {
          const name = queueName(one, partition);
          expect(name).toMatch(/^weir-[A-Za-z0-9_.~-]*-p\d+$/);
          expect(queueName(other, partition) === name).toBe(other === one);
        },
      ),
    );
  });

  test('reads as the instance where it can', () => {
    expect(queueName('7412-shop-weir', 3)).toBe('weir-7412-shop-weir-p3');
  });
});

describe('what a job carries', () => {
  const over = (wire: unknown): unknown => JSON.parse(JSON.stringify(wire));

  test('is the batch as it was', () => {
    const sent = batch(3, { rows: 20 });
    expect(decodeJobData(over(sent))).toEqual({ kind: 'batch', batch: sent });
  });

  test('is a summary once the batch has been handled', () => {
    const summary = summarize(batch(3), COMMITTED);
    expect(decodeJobData(over(summary))).toEqual({ kind: 'handled', summary });
  });

  test.each([
    ['nothing', null],
    ['text', 'batch'],
    ['a batch of a later version', { ...batch(0), v: 2 }],
    ['a row that is no array', { ...batch(0), events: [{}] }],
    ['no rows', { ...batch(0), events: undefined }],
    ['a partition that is no number', { ...batch(0), partition: '0' }],
  ])('is refused when it is %s', (_, data) => {
    expect(decodeJobData(data)).toMatchObject({ kind: 'malformed', reason: expect.stringMatching(/./) });
  });
});
