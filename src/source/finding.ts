import { EXIT, WeirError } from '../errors.ts';

/** One check, with what was measured, why it matters, and the exact fix. `weir doctor` prints them; a start stops at the worst. */
export interface Finding {
  /** Stable: `slot-lost`. */
  readonly id: string;
  readonly ok: boolean;
  /** `error`: a start refuses. `warning`: it works, until something happens. */
  readonly severity: 'error' | 'warning' | 'info';
  readonly measured: string;
  readonly why: string;
  /** A command or a sentence; empty when it is ok. */
  readonly fix: string;
  /** What of PostgreSQL the fix needs. */
  readonly takes: 'restart' | 'reload' | 'none';
}

type Failure = Omit<Finding, 'ok' | 'severity' | 'takes'> & Partial<Pick<Finding, 'severity' | 'takes'>>;

export function failed(failure: Failure): Finding {
  return { ok: false, severity: 'error', takes: 'none', ...failure };
}

export function passed(id: string, measured: string, why: string): Finding {
  return { id, ok: true, severity: 'info', measured, why, fix: '', takes: 'none' };
}

/** The error of the findings that a start refuses; null: it may start. */
export function refusal(findings: readonly Finding[]): WeirError | null {
  const errors = findings.filter(({ ok, severity }) => !ok && severity === 'error');
  const [first] = errors;
  if (first === undefined) return null;
  return new WeirError({
    code: `WEIR_${first.id.toUpperCase().replaceAll('-', '_')}`,
    message: errors.map(({ measured, why }) => `${measured}: ${why}`).join('\n'),
    hint: [...new Set(errors.map(({ fix }) => fix))].join('\n'),
    retry: 'after-operator',
    exit: EXIT.usage,
  });
}
