import { expect, test } from 'vitest';
import { explainError } from '../../../src/cli/explain-error.ts';
import { EXIT, WeirError } from '../../../src/errors.ts';

function coded(code: string, message = 'm'): Error {
  return Object.assign(new Error(message), { code });
}

test.each([
  [
    'a refused connection',
    coded('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1'),
    EXIT.unreachable,
    '127.0.0.1:1',
  ],
  ['a name that is not known', coded('ENOTFOUND', 'getaddrinfo ENOTFOUND db'), EXIT.unreachable, 'db'],
  [
    'every address of a name refused',
    Object.assign(new AggregateError([coded('ECONNREFUSED', 'connect ECONNREFUSED ::1:1')], ''), {
      code: 'ECONNREFUSED',
    }),
    EXIT.unreachable,
    '::1:1',
  ],
  [
    'a server that starts up',
    coded('57P03', 'the database system is starting up'),
    EXIT.unreachable,
    '57P03',
  ],
  ['too many connections', coded('53300'), EXIT.unreachable, '53300'],
  [
    'a connection that ended',
    new Error('Connection terminated unexpectedly'),
    EXIT.unreachable,
    'terminated',
  ],
  ['a wrong password', coded('28P01', 'password authentication failed'), EXIT.usage, '28P01'],
  ['a role that is not there', coded('28000'), EXIT.usage, '28000'],
  ['a database that is not there', coded('3D000'), EXIT.usage, '3D000'],
  ['a right that is missing', coded('42501', 'permission denied'), EXIT.usage, 'permission denied'],
  ['a wrong Redis password', new Error('WRONGPASS invalid'), EXIT.usage, 'WRONGPASS'],
  [
    'a Redis that is away',
    Object.assign(new Error('Reached the max'), { name: 'MaxRetriesPerRequestError' }),
    EXIT.unreachable,
    'Redis',
  ],
  ['a syntax error in our own SQL', coded('42601', 'syntax error'), EXIT.bug, 'this is a bug'],
  [
    'an assertion',
    new TypeError('x is not a function'),
    EXIT.bug,
    'this is a bug: TypeError: x is not a function',
  ],
  ['something thrown that is no error', 'oops', EXIT.bug, 'oops'],
])('%s', (_name, error, exit, message) => {
  const explained = explainError(error);
  expect(explained.exit).toBe(exit);
  expect(explained.message).toContain(message);
  expect(explained.code).toMatch(/^WEIR_[A-Z_]+$/);
});

test('an error of ours says its own code, fix and exit', () => {
  const error = new WeirError({
    code: 'WEIR_X',
    message: 'slot "w" is lost',
    hint: 'recreate it',
    exit: EXIT.findings,
  });
  expect(explainError(error)).toEqual({
    exit: 1,
    code: 'WEIR_X',
    message: 'slot "w" is lost',
    hint: 'recreate it',
  });
});

test('no message shows a password', () => {
  expect(explainError(new Error('bad postgres://u:hunter2@h/d')).message).not.toContain('hunter2');
});
