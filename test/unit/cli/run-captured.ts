import { Writable } from 'node:stream';
import { type CommandSpec, runCli } from '../../../src/cli/program.ts';

export interface Captured {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process and keeps what it wrote. */
export async function runCaptured(
  commands: readonly CommandSpec[],
  argv: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<Captured> {
  const [stdout, stderr] = [new Kept(), new Kept()];
  const io = { stdout, stderr, env: options.env ?? {}, cwd: options.cwd ?? process.cwd(), terminal: false };
  const exit = await runCli(commands, argv, io);
  return { exit, stdout: stdout.text, stderr: stderr.text };
}

class Kept extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}
