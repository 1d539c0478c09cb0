import { EXIT, WeirError } from '../errors.ts';
import { shownUrl } from './redact.ts';

/** ioredis says "Connection is closed."; the `error` event before it said why. */
export function redisRefusal(url: string, cause: unknown): WeirError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const refused = /NOAUTH|WRONGPASS|NOPERM/.test(why);
  return new WeirError({
    code: refused ? 'WEIR_REDIS_REFUSED' : 'WEIR_REDIS_UNREACHABLE',
    message: `Redis at ${shownUrl(url)} ${refused ? 'refuses us' : 'does not answer'}: ${why}`,
    hint: 'check REDIS_URL, and that the server runs and listens there',
    exit: refused ? EXIT.usage : EXIT.unreachable,
    cause,
  });
}
