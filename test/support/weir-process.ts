import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './until.ts';

const BIN = join(import.meta.dirname, '../../bin/weir');

export interface WeirProcessOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Holds weir.yaml, and takes the log. */
  readonly directory: string;
  /** Where it listens, when it does. */
  readonly port?: number;
}

/** A real process of Weir, to be killed and started again; its log is kept for whoever asks why. */
export class WeirProcess {
  readonly name: string;
  readonly url: string;
  readonly #options: WeirProcessOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | null = null;
  #stdout = '';

  constructor(options: WeirProcessOptions) {
    this.name = options.name;
    this.url = `http://127.0.0.1:${options.port ?? 0}`;
    this.#options = options;
    this.#log = createWriteStream(this.#logPath, { flags: 'a' });
  }

  get #logPath(): string {
    return join(this.#options.directory, `${this.#options.name}.log`);
  }

  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get exitCode(): number | null {
    return this.#child?.exitCode ?? null;
  }

  /** What killed it, if something did. */
  get signalCode(): NodeJS.Signals | null {
    return this.#child?.signalCode ?? null;
  }

  /** Of the last start. */
  get stdout(): string {
    return this.#stdout;
  }

  /** All of its starts. */
  log(): Promise<string> {
    return readFile(this.#logPath, 'utf8');
  }

  start(extra: Readonly<Record<string, string>> = {}): void {
    const { args, directory, env, port } = this.#options;
    const http = port === undefined ? {} : { WEIR_HTTP: `127.0.0.1:${port}` };
    this.#stdout = '';
    this.#child = spawn(process.execPath, [BIN, ...args], {
      cwd: directory,
      env: { ...process.env, ...env, ...http, ...extra, NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString('utf8');
    });
    this.#child.stdout?.pipe(this.#log, { end: false });
    this.#child.stderr?.pipe(this.#log, { end: false });
  }

  /** Started and streaming, or working on its partitions. */
  async ready(timeoutMs = 30_000): Promise<void> {
    await until(
      `${this.name} is ready`,
      async () => {
        if (!this.running) throw new Error(`${this.name} has ended: ${await this.log()}`);
        return fetch(`${this.url}/readyz`).then(
          ({ status }) => status === 200,
          () => false,
        );
      },
      timeoutMs,
    );
  }

  /** The sum of all series of that name; null: there is none. */
  async metric(name: string): Promise<number | null> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (.+)$`, 'gm'))];
    return values.length === 0 ? null : values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Sends the signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const ended = this.ended();
    if (this.running) this.#child?.kill(signal);
    await ended;
  }

  /** Waits for it to end by itself, as an armed failpoint makes it; its output is complete then. */
  ended(): Promise<void> {
    const child = this.#child;
    if (child === null || !this.running) return Promise.resolve();
    return new Promise((resolve) => child.once('close', () => resolve()));
  }
}
