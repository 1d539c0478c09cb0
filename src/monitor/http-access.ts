import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

const COOKIE = 'weir_session';

/** An address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * A page of another site may make a browser on this machine send requests to loopback under a name of the attacker's
 * (DNS rebinding): a loopback server answers only to loopback names.
 */
export function onlyLoopbackNames(): MiddlewareHandler {
  return async (c, next) => {
    const name = hostName(c.req.header('host') ?? '');
    if (isLoopback(name)) return next();
    return c.json(
      {
        error: `Weir listens on loopback and does not answer to the name ${JSON.stringify(name)}`,
        hint: 'use http://127.0.0.1 or http://localhost; behind a proxy, set WEIR_HTTP to another address and WEIR_TOKEN',
      },
      421,
    );
  };
}

/** What changes something must come from our own pages: a browser says where it came from. */
export function onlyOwnOrigin(): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header('origin');
    const safe = c.req.method === 'GET' || c.req.method === 'HEAD' || c.req.method === 'OPTIONS';
    if (safe || origin === undefined) return next();
    if (URL.canParse(origin) && new URL(origin).host === c.req.header('host')) return next();
    return c.json({ error: `a ${c.req.method} from the origin ${origin} is refused` }, 403);
  };
}

/**
 * `Authorization: Bearer TOKEN`; or once `?token=TOKEN`, which becomes a cookie and leaves the address bar, so that it
 * stays out of histories and Referer headers. The cookie holds a hash: who reads it has the session, not the token.
 */
export function onlyWithToken(token: string): MiddlewareHandler {
  return async (c, next) => {
    const given = c.req.query('token');
    if (given !== undefined && same(given, token)) {
      setCookie(c, COOKIE, sessionOf(token), { httpOnly: true, sameSite: 'Strict', path: '/' });
      const url = new URL(c.req.url);
      url.searchParams.delete('token');
      return c.redirect(`${url.pathname}${url.search}`, 303);
    }
    if (hasToken(c, token)) return next();
    c.header('www-authenticate', 'Bearer');
    return c.json(
      {
        error: 'a token is needed',
        hint: 'send Authorization: Bearer with the value of WEIR_TOKEN, or open /?token=… once',
      },
      401,
    );
  };
}

export function hasToken(c: Context, token: string): boolean {
  const bearer = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
  if (bearer !== undefined && same(bearer, token)) return true;
  const cookie = getCookie(c, COOKIE);
  return cookie !== undefined && same(cookie, sessionOf(token));
}

function sessionOf(token: string): string {
  return createHash('sha256').update(`weir session ${token}`).digest('hex');
}

/** In constant time, whatever the lengths. */
function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** `[::1]:8090` → `::1`, `localhost:8090` → `localhost`. */
function hostName(header: string): string {
  const bracketed = /^\[([^\]]+)\]/.exec(header)?.[1];
  return (bracketed ?? header.replace(/:\d+$/, '')).toLowerCase();
}
