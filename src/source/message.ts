import type { Client } from 'pg';
import { z } from 'zod';

/** Dead letters that one message may ask for: they are read at once. */
export const MOST_LETTERS = 500;

/** What Weir writes into the WAL with `pg_logical_emit_message`, under the prefix of its instance. */
const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('heartbeat'), sentAt: z.number() }),
  z.object({ kind: z.literal('rules'), version: z.string() }),
  /** Ids in weir.dead_letters. */
  z.object({
    kind: z.literal('letters'),
    ids: z.array(z.string().regex(/^[1-9]\d{0,17}$/)).max(MOST_LETTERS),
  }),
  /** A revision of the lists; by a trigger (sql/003_lists.sql) or the source. */
  z.object({ kind: z.literal('lists'), token: z.guid() }),
]);
export type WeirMessage = z.infer<typeof messageSchema>;

export function messagePrefix(slot: string): string {
  return `weir/${slot}`;
}

export function encodeMessage(message: WeirMessage): string {
  return JSON.stringify(message);
}

/** In a transaction of its own, unless the client is in one: it stands in the stream where that commits. */
export async function emitMessage(
  client: Pick<Client, 'query'>,
  slot: string,
  message: WeirMessage,
): Promise<void> {
  const content = encodeMessage(message);
  await client.query('SELECT pg_logical_emit_message(true, $1, $2)', [messagePrefix(slot), content]);
}

/** null: not one of ours. Any role can emit a message, under any prefix. */
export function decodeMessage(content: Uint8Array): WeirMessage | null {
  try {
    const parsed = messageSchema.safeParse(JSON.parse(Buffer.from(content).toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
