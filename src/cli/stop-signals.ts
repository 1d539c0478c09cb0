import { EXIT } from '../errors.ts';

/** 128 + SIGINT: what a shell says of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * The first SIGTERM or Ctrl-C aborts the signal: what was read is committed and acknowledged, and the command ends by
 * itself. The second ends the process at once; the stream then replays what was not committed.
 */
export function stopSignals(onStop: () => void): AbortSignal {
  const stopping = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    if (stopping.signal.aborted) process.exit(name === 'SIGINT' ? INTERRUPTED : EXIT.ok);
    stopping.abort();
    onStop();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return stopping.signal;
}
