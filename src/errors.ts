/** What a caller may do about an error: try again by itself, never, or only after a person has mended something. */
export type Retry = 'backoff' | 'never' | 'after-operator';

/** Exit codes of shared/spec/interfaces.md. */
export const EXIT = { ok: 0, findings: 1, usage: 2, unreachable: 3, bug: 70 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface WeirErrorOptions {
  /** Stable, e.g. `WEIR_SLOT_LOST`. */
  readonly code: string;
  readonly message: string;
  /** The fix, as a command or a sentence. */
  readonly hint?: string;
  readonly retry?: Retry;
  readonly exit?: ExitCode;
  readonly cause?: unknown;
}

/** An error that a person reads: it names the thing, its value, and the fix. A bug is not one of these. */
export class WeirError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly retry: Retry;
  readonly exit: ExitCode;

  constructor(options: WeirErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WeirError';
    this.code = options.code;
    this.hint = options.hint;
    this.retry = options.retry ?? 'never';
    this.exit = options.exit ?? EXIT.usage;
  }
}

/** The end of an exhaustive switch: the compiler proves that it is never reached; if it is, that is a bug. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
