import type { Redis } from 'ioredis';
import type { QueueFinding } from './finding.ts';

const MIN_VERSION = [6, 2] as const;

/** What Weir needs of a Redis or Valkey server, and what this one has. */
export async function redisFindings(redis: Redis): Promise<readonly QueueFinding[]> {
  const info = parseInfo(await redis.info());
  return [await evictionFinding(redis, info), versionFinding(info)];
}

async function evictionFinding(redis: Redis, info: ReadonlyMap<string, string>): Promise<QueueFinding> {
  const found = (await configured(redis)) ?? info.get('maxmemory_policy') ?? 'unknown';
  const ok = found === 'noeviction';
  return {
    ok,
    code: 'WEIR_REDIS_EVICTS',
    subject: 'maxmemory-policy',
    found,
    why: 'a server that evicts keys takes batches away, and each loss makes the stream start again',
    fix: ok
      ? null
      : 'redis-cli CONFIG SET maxmemory-policy noeviction && redis-cli CONFIG REWRITE' +
        ' (takes effect at once; on a managed server set maxmemory-policy in its parameter group)',
  };
}

/** Managed servers forbid CONFIG; INFO says it too. */
async function configured(redis: Redis): Promise<string | null> {
  try {
    const reply: unknown = await redis.config('GET', 'maxmemory-policy');
    const value: unknown = Array.isArray(reply) ? reply[1] : null;
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

function versionFinding(info: ReadonlyMap<string, string>): QueueFinding {
  const valkey = info.get('valkey_version');
  const found = info.get('redis_version') ?? 'unknown';
  const [major = 0, minor = 0] = found.split('.').map(Number);
  // Valkey tells the version of Redis that it is compatible with as redis_version.
  const ok = major > MIN_VERSION[0] || (major === MIN_VERSION[0] && minor >= MIN_VERSION[1]);
  return {
    ok,
    code: 'WEIR_REDIS_TOO_OLD',
    subject: 'version',
    found: valkey === undefined ? found : `Valkey ${valkey} (as Redis ${found})`,
    why: `BullMQ's scripts need Redis ${MIN_VERSION.join('.')} or Valkey 7.2`,
    fix: ok ? null : `upgrade the server to Redis ${MIN_VERSION.join('.')} or later, or to Valkey`,
  };
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const entries = text.split('\r\n').flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    return colon < 0 || line.startsWith('#') ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
  });
  return new Map(entries);
}
