import { connect, createServer, type Server, type Socket } from 'node:net';

/** A line to a server that can go dead without a word: what is sent is swallowed, and nobody is told. */
export class Line {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<{ dead: boolean }>();
  #dead = false;
  /** Connections that were ever made. */
  accepted = 0;

  private constructor(port: number) {
    this.#server = createServer((client) => {
      this.accepted += 1;
      const connection = { dead: this.#dead };
      this.#connections.add(connection);
      const server = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(from.on('error', () => undefined));
        from.on('data', (bytes) => {
          if (!connection.dead) to.write(bytes);
        });
        from.on('close', () => {
          if (!connection.dead) to.destroy();
        });
      }
    });
  }

  static async to(port: number): Promise<Line> {
    const line = new Line(port);
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  /** The same through this. */
  url(url: string): string {
    return through(this.#server, url);
  }

  /** From now on nothing comes through, on any connection. */
  swallow(): void {
    this.#dead = true;
    for (const connection of this.#connections) connection.dead = true;
  }

  /** New connections work; those that were swallowed never will. */
  heal(): void {
    this.#dead = false;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** The URL of a server, by way of one that listens here. */
export function through(proxy: Server, url: string): string {
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  const way = new URL(url);
  way.hostname = '127.0.0.1';
  way.port = String(address.port);
  return way.href;
}
