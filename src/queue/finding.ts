import { WeirError } from '../errors.ts';

/** What `weir doctor` prints, and what is checked at start: what was found, why it matters, the exact fix. */
export interface QueueFinding {
  readonly ok: boolean;
  readonly code: string;
  /** `maxmemory-policy`, `version`, … */
  readonly subject: string;
  readonly found: string;
  readonly why: string;
  /** null: nothing to mend. */
  readonly fix: string | null;
}

/** Throws the first finding that Weir cannot run with. */
export function refuseUnfit(server: 'Redis' | 'PostgreSQL', findings: readonly QueueFinding[]): void {
  const bad = findings.find((finding) => !finding.ok);
  if (bad === undefined) return;
  throw new WeirError({
    code: bad.code,
    message: `the queue's ${server}: ${bad.subject} is ${bad.found}; ${bad.why}`,
    ...(bad.fix === null ? {} : { hint: bad.fix }),
    retry: 'after-operator',
  });
}
