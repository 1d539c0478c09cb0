export interface Place {
  /** As the user named it, relative to where they stand. */
  readonly file: string;
  /** From 1, as editors count. */
  readonly line: number;
  readonly column: number;
}

/** A mistake in a rule file, with its place. */
export interface Problem extends Place {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly hint?: string;
}

/** `rules/fraud.yaml:12:11: error: unknown column "amuont" (did you mean "amount"?)` */
export function formatProblem(problem: Problem): string {
  const { file, line, column, severity, message, hint } = problem;
  return `${file}:${line}:${column}: ${severity}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

/** Gathers every mistake, so that all are told at once. */
export class Problems {
  readonly #found = new Map<string, Problem>();

  error(place: Place, message: string, hint?: string | null): void {
    this.#add('error', place, message, hint);
  }

  warning(place: Place, message: string, hint?: string | null): void {
    this.#add('warning', place, message, hint);
  }

  get hasErrors(): boolean {
    return [...this.#found.values()].some((problem) => problem.severity === 'error');
  }

  /** By file, line and column; the same mistake, found twice, is told once. */
  sorted(): Problem[] {
    return [...this.#found.values()].sort(
      (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
    );
  }

  #add(severity: Problem['severity'], place: Place, message: string, hint?: string | null): void {
    const { file, line, column } = place;
    const problem: Problem = { file, line, column, severity, message, ...(hint ? { hint } : {}) };
    const same = formatProblem(problem);
    if (!this.#found.has(same)) this.#found.set(same, problem);
  }
}

/** For hints. */
export function didYouMean(name: string | null): string | undefined {
  return name === null ? undefined : `did you mean ${name}?`;
}

export function formatPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}
