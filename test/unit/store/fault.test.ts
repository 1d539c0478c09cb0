import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { WeirError } from '../../../src/errors.ts';
import { classify } from '../../../src/store/fault.ts';

function sqlState(code: string): Error {
  return Object.assign(new pg.DatabaseError('refused', 1, 'error'), { code });
}

function socketError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe('an error of the store', () => {
  it.each(['40001', '40P01', '53100', '53300', '55P03', '57014', '25006', '58030'])(
    '%s is tried again',
    (code) => {
      expect(classify(sqlState(code))).toEqual({ kind: 'retry', code, connectionLost: false });
    },
  );

  it.each(['57P01', '57P02', '57P03', '08006', '25P03'])('%s is tried again on a new connection', (code) => {
    expect(classify(sqlState(code))).toEqual({ kind: 'retry', code, connectionLost: true });
  });

  it.each(['22003', '22P05', '23502', '54000'])('%s is of one output', (code) => {
    expect(classify(sqlState(code)).kind).toBe('poison');
  });

  it.each(['42P01', '42501', '28P01', 'XX000', '25P02', 'WE001'])('%s is for a person', (code) => {
    expect(classify(sqlState(code)).kind).toBe('fatal');
  });

  it('of the socket is tried again, also as one of several addresses', () => {
    expect(classify(socketError('ECONNREFUSED'))).toMatchObject({ kind: 'retry', connectionLost: true });
    const both = new AggregateError([socketError('ECONNREFUSED'), socketError('ECONNREFUSED')], '');
    expect(classify(both)).toMatchObject({ kind: 'retry', connectionLost: true });
    expect(classify(new Error('Connection terminated unexpectedly'))).toMatchObject({ connectionLost: true });
  });

  it('of our own says itself what to do', () => {
    const error = (retry: 'backoff' | 'never') => new WeirError({ code: 'WEIR_X', message: 'x', retry });
    expect(classify(error('backoff')).kind).toBe('retry');
    expect(classify(error('never'))).toEqual({ kind: 'fatal', code: 'WEIR_X', connectionLost: false });
  });

  it('that is a bug is never tried again', () => {
    expect(classify(new TypeError('x is undefined')).kind).toBe('fatal');
    expect(classify('a string').kind).toBe('fatal');
  });
});
