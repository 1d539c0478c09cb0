import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';

const BIN = join(import.meta.dirname, '../../bin/weir');

export interface WeirProcessOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Holds weir.yaml, and takes the log. */
  readonly directory: string;
}

/** A real process of Weir, to be killed and started again; its log is kept for whoever asks why. */
export class WeirProcess {
  readonly name: string;
  readonly #options: WeirProcessOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | null = null;

  constructor(options: WeirProcessOptions) {
    this.name = options.name;
    this.#options = options;
    this.#log = createWriteStream(join(options.directory, `${options.name}.log`), { flags: 'a' });
  }

  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get exitCode(): number | null {
    return this.#child?.exitCode ?? null;
  }

  start(extra: Readonly<Record<string, string>> = {}): void {
    this.#child = spawn(process.execPath, [BIN, ...this.#options.args], {
      cwd: this.#options.directory,
      env: { ...process.env, ...this.#options.env, ...extra, NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.pipe(this.#log, { end: false });
    this.#child.stderr?.pipe(this.#log, { end: false });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Sends the signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === null || !this.running) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await ended;
  }

  /** Waits for it to end by itself, as an armed failpoint makes it. */
  ended(): Promise<void> {
    const child = this.#child;
    if (child === null || !this.running) return Promise.resolve();
    return new Promise((resolve) => child.once('exit', () => resolve()));
  }
}
