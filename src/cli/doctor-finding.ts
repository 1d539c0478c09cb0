import { EXIT, type ExitCode } from '../errors.ts';
import type { Finding } from '../source/finding.ts';
import { explainError } from './explain-error.ts';

export type Subject = 'source' | 'rules' | 'store' | 'queue';

export interface DoctorFinding extends Finding {
  readonly subject: Subject;
  /** It could not even be asked. */
  readonly unreachable: boolean;
}

/** A part of the doctor's round: what cannot be reached is a finding too, and the round goes on. */
export async function examine(
  subject: Subject,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly DoctorFinding[]> {
  try {
    return (await look()).map((finding) => ({ ...finding, subject, unreachable: false }));
  } catch (error) {
    const { exit, code, message, hint } = explainError(error);
    if (exit === EXIT.bug) throw error;
    const id = code
      .replace(/^WEIR_/, '')
      .toLowerCase()
      .replaceAll('_', '-');
    const why = 'the checks behind it could not be made';
    const finding = {
      id,
      ok: false,
      severity: 'error',
      measured: message,
      why,
      fix: hint ?? '',
      takes: 'none',
    } as const;
    return [{ ...finding, subject, unreachable: exit === EXIT.unreachable }];
  }
}

/** Warnings are told, and are no reason to fail: PostgreSQL's own defaults cause some. */
export function exitOf(findings: readonly DoctorFinding[]): ExitCode {
  if (findings.some(({ unreachable }) => unreachable)) return EXIT.unreachable;
  return findings.some(({ ok, severity }) => !ok && severity === 'error') ? EXIT.findings : EXIT.ok;
}

export function shownFindings(findings: readonly DoctorFinding[]): string {
  const bad = findings.filter(({ ok }) => !ok);
  const errors = bad.filter(({ severity }) => severity === 'error').length;
  return `${findings.map(shownFinding).join('')}\n${errors} errors, ${bad.length - errors} warnings, ${findings.length - bad.length} fine\n`;
}

function shownFinding({ ok, severity, subject, id, measured, why, fix, takes }: DoctorFinding): string {
  const head = `${ok ? '✓' : severity === 'error' ? '✗' : '!'} ${subject} ${id}: ${measured}\n`;
  if (ok) return head;
  const after = takes === 'none' ? '' : ` (takes a ${takes})`;
  return `${head}    why: ${why}\n${fix === '' ? '' : `    fix: ${fix}${after}\n`}`;
}
