import { DatabaseError, type Pool } from 'pg';

export interface Behavior {
  readonly user: number;
  readonly kind: string;
  readonly item?: string;
  readonly country: string;
}

export interface Payment {
  readonly user: number;
  readonly amount: number;
  readonly type: 'payment' | 'transfer';
  readonly country: string;
  readonly device: string;
  readonly status?: 'approved' | 'declined';
  /** Of a transfer to another user of the same service. */
  readonly receiver?: number;
}

/** One visit of the demo's writer to the database: rows of one transaction. */
export interface Visit {
  readonly behaviors?: readonly Behavior[];
  readonly devices?: readonly { readonly user: number; readonly device: string }[];
  readonly payments?: readonly Payment[];
}

const BEHAVIOR =
  'insert into user_behavior (user_id, behavior_type, item_id, country) values ($1, $2, $3, $4)';
const DEVICE = 'insert into devices (user_id, device_id) values ($1, $2)';
const PAYMENT = `insert into transactions (user_id, amount, type, country, device_id, status, receiver_id)
  values ($1, $2, $3, $4, $5, $6, $7)`;

/** What a guard refuses with. */
const REFUSED = 'WR001';

/** Writes all of it, or nothing where the guard refuses a row: then it says why. null: it is written. */
export async function write(
  pool: Pool,
  { behaviors = [], devices = [], payments = [] }: Visit,
): Promise<string | null> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    for (const { user, kind, item, country } of behaviors)
      await client.query(BEHAVIOR, [user, kind, item ?? null, country]);
    for (const { user, device } of devices) await client.query(DEVICE, [user, device]);
    for (const { user, amount, type, country, device, status, receiver } of payments) {
      const values = [user, amount.toFixed(2), type, country, device, status ?? 'approved', receiver ?? null];
      await client.query(PAYMENT, values);
    }
    await client.query('commit');
    return null;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    if (error instanceof DatabaseError && error.code === REFUSED) return error.message;
    throw error;
  } finally {
    client.release();
  }
}
