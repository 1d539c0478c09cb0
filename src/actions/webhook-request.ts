import { Webhook } from 'standardwebhooks';
import type { WebhookConfig } from '../config.ts';

/** What came of sending a delivery. */
export type Answer =
  | { readonly kind: 'taken' }
  /** To be sent again, not before `afterMs` if the receiver has said so. */
  | { readonly kind: 'failed'; readonly reason: string; readonly afterMs: number | null }
  /** The receiver wants no more of it: 410. */
  | { readonly kind: 'refused'; readonly reason: string };

interface Message {
  readonly id: string;
  readonly body: string;
}

/** A receiver is not believed when it asks for more patience than this. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * POSTs a delivery, signed as https://www.standardwebhooks.com says: HMAC-SHA256 over id, time and body. Any 2xx takes
 * it. Redirects are not followed: the secret was given for this URL.
 */
export async function send(
  { url, secret, timeoutMs }: WebhookConfig,
  { id, body }: Message,
  signal: AbortSignal,
): Promise<Answer> {
  const now = new Date();
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'weir',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
        'webhook-signature': signer(secret).sign(id, now, body),
      },
    });
    await response.body?.cancel();
    return judge(response, now.getTime());
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(error, timeoutMs), afterMs: null };
  }
}

/** `whsec_` and base64, or a text as it is. */
export function signer(secret: string): Webhook {
  return secret.startsWith('whsec_')
    ? new Webhook(secret)
    : new Webhook(Buffer.from(secret), { format: 'raw' });
}

function judge({ status, headers }: Response, nowMs: number): Answer {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  const reason = `the receiver answered ${status}`;
  if (status === 410) return { kind: 'refused', reason };
  return { kind: 'failed', reason, afterMs: retryAfter(headers.get('retry-after'), nowMs) };
}

/** Seconds or an HTTP date, as ms from now; null: it says nothing. */
export function retryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/** Of the request alone: never the URL, which may hold a secret. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  const cause: unknown = error.cause;
  if (cause instanceof Error) return 'code' in cause ? `${cause.message} (${cause.code})` : cause.message;
  return error.message;
}
