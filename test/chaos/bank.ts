import type pg from 'pg';
import type { Random } from '../../src/demo/random.ts';
import { Receiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';

/** The receiver that rules/chaos.yaml names: in a storm it fails in every way that receivers do. */
export class Bank {
  readonly receiver: Receiver;

  private constructor(receiver: Receiver) {
    this.receiver = receiver;
  }

  static async open(): Promise<Bank> {
    return new Bank(await Receiver.start());
  }

  /** For weir.yaml. */
  get yaml(): string {
    const { url, secret } = this.receiver;
    return `webhooks: { bank: { url: "${url}", secret: "${secret}", timeout: 1s } }\n`;
  }

  /** From now on. */
  failAtRandom(random: Random): void {
    this.receiver.behave = () => {
      const mood = random.next();
      if (mood < 0.02) return 'hang';
      if (mood < 0.05) return 'drop';
      if (mood < 0.15) return 500;
      return mood < 0.17 ? { status: 503, after: '1' } : 200;
    };
  }

  /** It takes everything from now on, and gets what is outstanding. */
  async settle(client: pg.Client, timeoutMs: number): Promise<void> {
    this.receiver.behave = () => 200;
    await until('every delivery is made', () => isDelivered(client), timeoutMs);
  }

  /** What it was told, once each, for the oracle to compare. */
  async record(client: pg.Client): Promise<void> {
    await client.query('create temporary table if not exists told (rule_id text, evidence text[])');
    await client.query('truncate told');
    const bodies = [...this.receiver.taken.values()].map(({ body }) => JSON.stringify(body));
    await client.query(
      `insert into told
       select b -> 'data' ->> 'rule_id', array(select e -> 'columns' ->> 'id' from jsonb_array_elements(b -> 'data' -> 'events') e)
       from unnest($1::jsonb[]) b`,
      [bodies],
    );
  }

  close(): Promise<void> {
    return this.receiver.close();
  }
}

async function isDelivered(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query("select from weir.outbox where status <> 'delivered' limit 1");
  return rows.length === 0;
}
