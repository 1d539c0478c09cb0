import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';

/**
 * The lines of a file, or of stdin for `-`, in bounded memory. What cannot be read is thrown as `unreadable` tells it:
 * readline's iterator does not see an error of its input.
 */
export async function* linesOf(
  cwd: string,
  path: string,
  unreadable: (why: string, cause: unknown) => Error,
): AsyncGenerator<string> {
  const input =
    path === '-' ? process.stdin.setEncoding('utf8') : createReadStream(resolve(cwd, path), 'utf8');
  let rest = '';
  try {
    for await (const chunk of input) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (cause) {
    throw unreadable(cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause), cause);
  }
  if (rest !== '') yield rest;
}
