import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { retryAfter, send, signer } from '../../../src/actions/webhook-request.ts';
import { Receiver } from '../../support/receiver.ts';

let receiver: Receiver;
beforeAll(async () => {
  receiver = await Receiver.start('ein Geheimnis: ü');
});
afterAll(() => receiver.close());

const NEVER = new AbortController().signal;
const MESSAGE = { id: 'msg_1', body: '{"n":1.10}' };
const config = (timeoutMs = 10_000) => ({
  ...{ url: receiver.url, secret: receiver.secret },
  ...{ timeoutMs, giveUpAfterMs: 1_000 },
});

it('a delivery that a 2xx answers is taken, with a signature that any Standard Webhooks library verifies', async () => {
  receiver.behave = () => 204;
  expect(await send(config(), MESSAGE, NEVER)).toEqual({ kind: 'taken' });
  expect([receiver.forged, receiver.taken.get('msg_1')]).toEqual([0, { count: 1, body: { n: 1.1 } }]);
});

it('a secret that begins with whsec_ is base64, as the libraries have it', () => {
  const secret = `whsec_${Buffer.from('a key of some length').toString('base64')}`;
  const now = new Date();
  expect(signer(secret).sign('msg_1', now, 'body')).toBe(new Webhook(secret).sign('msg_1', now, 'body'));
});

it.each([
  [500, { kind: 'failed', reason: 'the receiver answered 500', afterMs: null }],
  [302, { kind: 'failed', reason: 'the receiver answered 302', afterMs: null }],
  [410, { kind: 'refused', reason: 'the receiver answered 410' }],
  [
    { status: 503, after: '7' },
    { kind: 'failed', reason: 'the receiver answered 503', afterMs: 7_000 },
  ],
  ['hang', { kind: 'failed', reason: 'no answer within 200 ms', afterMs: null }],
  ['drop', { kind: 'failed', reason: 'other side closed (UND_ERR_SOCKET)', afterMs: null }],
] as const)('a receiver that does %j has not taken it', async (behaviour, answer) => {
  receiver.behave = () => behaviour;
  expect(await send(config(behaviour === 'hang' ? 200 : 10_000), MESSAGE, NEVER)).toEqual(answer);
});

it('a receiver that is not there, or an end of the process, is a failure that does not tell the URL', async () => {
  const gone = { ...config(), url: 'http://127.0.0.1:1/?token=hidden' };
  expect(JSON.stringify(await send(gone, MESSAGE, NEVER))).not.toContain('hidden');
  receiver.behave = () => 'hang';
  expect(await send(config(), MESSAGE, AbortSignal.abort())).toMatchObject({ kind: 'failed' });
});

it.each([
  [null, null],
  ['120', 120_000],
  ['999999999', 3_600_000],
  ['Thu, 01 Jan 1970 00:00:05 GMT', 4_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['soon', null],
])('Retry-After %j is %j ms', (header, ms) => {
  expect(retryAfter(header, 1_000)).toBe(ms);
});
