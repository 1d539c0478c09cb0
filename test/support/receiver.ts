import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** What a receiver does with a request: a status to answer, or nothing at all. */
export type Behaviour = (attempt: number) => number | 'hang' | 'drop' | { status: number; after?: string };

/** An HTTP server that webhooks are sent to. It takes what it answers with 2xx, and checks each signature. */
export class Receiver {
  readonly secret: string;
  /** By webhook-id: what was taken, as often as it was. */
  readonly taken = new Map<string, { count: number; body: unknown }>();
  /** Requests so far. */
  attempts = 0;
  /** Requests whose signature did not fit. */
  forged = 0;
  behave: Behaviour = () => 200;
  readonly #server: Server;

  private constructor(server: Server, secret: string) {
    this.#server = server;
    this.secret = secret;
  }

  static async start(secret = 'a secret'): Promise<Receiver> {
    const server = createServer((request, response) => void receiver.#receive(request, response));
    const receiver = new Receiver(server, secret);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.attempts += 1;
    const behaviour = this.behave(this.attempts);
    if (behaviour === 'hang') return;
    if (behaviour === 'drop') return void request.socket.destroy();
    const { status, after } = typeof behaviour === 'number' ? { status: behaviour } : behaviour;
    if (after !== undefined) response.setHeader('retry-after', after);
    if (status >= 200 && status < 300) this.#take(request, body);
    response.writeHead(status).end();
  }

  #take({ headers }: IncomingMessage, body: string): void {
    try {
      const named = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
      new Webhook(Buffer.from(this.secret), { format: 'raw' }).verify(body, Object.fromEntries(named));
    } catch {
      this.forged += 1;
    }
    const id = String(headers['webhook-id']);
    const before = this.taken.get(id);
    this.taken.set(id, { count: (before?.count ?? 0) + 1, body: JSON.parse(body) });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
