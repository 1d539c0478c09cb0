import { CONFIG_KEYS } from '../../../src/cli/config-keys.ts';
import { Metrics } from '../../../src/monitor/metrics.ts';
import type { Signature } from '../../../src/rules/cel/signature.ts';
import { SIGNATURES } from '../../../src/rules/cel/signatures.ts';
import { codesOfSource, ERROR_CODES, type FoundCode, WARNINGS } from './error-codes.ts';
import { FUNCTION_MEANINGS, MACRO_MEANINGS } from './function-meanings.ts';
import { PATTERN_MEANINGS, STEP_MEANINGS } from './pattern-meanings.ts';
import { OVER_MEANINGS, WINDOW_MEANINGS } from './window-meanings.ts';

/** A table that the code makes: where it stands, between `<!-- name -->` and `<!-- /name -->`. */
export interface Section {
  readonly file: string;
  readonly name: string;
  readonly make: () => Promise<string> | string;
}

export const SECTIONS: readonly Section[] = [
  { file: 'README.md', name: 'configuration', make: configuration },
  { file: 'docs/reference.md', name: 'metrics', make: metrics },
  { file: 'docs/reference.md', name: 'error-codes', make: errorCodes },
  { file: 'docs/reference.md', name: 'warnings', make: warnings },
  { file: 'docs/reference.md', name: 'functions', make: functions },
  { file: 'docs/reference.md', name: 'window-keys', make: () => keys(WINDOW_MEANINGS) },
  { file: 'docs/reference.md', name: 'over-keys', make: () => keys(OVER_MEANINGS) },
  { file: 'docs/reference.md', name: 'pattern-keys', make: () => keys(PATTERN_MEANINGS) },
  { file: 'docs/reference.md', name: 'step-keys', make: () => keys(STEP_MEANINGS) },
];

function configuration(): string {
  const rows = CONFIG_KEYS.map(({ key, env, flag, default: fallback, meaning }) => [
    code(key),
    code(env),
    code(flag),
    fallback,
    meaning,
  ]);
  return table(['In `weir.yaml`', 'Environment', 'Flag', 'Default', 'Meaning'], rows);
}

async function metrics(): Promise<string> {
  const known = await new Metrics({ processDefaults: false }).registry.getMetricsAsJSON();
  const labels = labelsOf(new Metrics({ processDefaults: false }));
  const rows = known
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, type, help }) => [code(name), String(type), labels.get(name) ?? '', help]);
  return table(['Metric', 'Type', 'Labels', 'Meaning'], rows);
}

/** prom-client keeps the names of labels on the metric, outside of its types. */
function labelsOf({ registry }: Metrics): ReadonlyMap<string, string> {
  return new Map(
    registry.getMetricsAsArray().map((metric) => {
      const { name, labelNames } = metric as unknown as { name: string; labelNames?: readonly string[] };
      return [name, (labelNames ?? []).map(code).join(', ')];
    }),
  );
}

function errorCodes(): string {
  return meanings('Code', ERROR_CODES, codesOfSource().errors);
}

function warnings(): string {
  return meanings('Finding', WARNINGS, codesOfSource().warnings);
}

function meanings(
  head: string,
  known: Readonly<Record<string, string>>,
  found: ReadonlyMap<string, FoundCode>,
): string {
  const rows = Object.entries(known)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, meaning]) => [code(name), meaning, (found.get(name)?.files ?? []).map(source).join(', ')]);
  return table([head, 'Meaning', 'Source'], rows);
}

function source(path: string): string {
  return `[${path}](../src/${path})`;
}

function functions(): string {
  const names = [...new Set(SIGNATURES.map(({ name }) => name))];
  const rows = names.map((name) => [forms(name), FUNCTION_MEANINGS[name] ?? '']);
  rows.push(...Object.values(MACRO_MEANINGS).map(([written, meaning]) => [code(written), meaning]));
  return table(['Function', 'Gives'], rows.toSorted(byName));
}

function keys(known: Readonly<Record<string, string>>): string {
  return table(
    ['Key', 'Meaning'],
    Object.entries(known).map(([key, meaning]) => [code(key), meaning]),
  );
}

/** Functions of any number of numbers have a signature for each number. */
function forms(name: string): string {
  const all = SIGNATURES.filter((one) => one.name === name);
  if (all.length < 10) return all.map(({ text }) => code(text)).join('<br>');
  const [first] = all as [Signature];
  return code(first.text.replace('): ', ', …): '));
}

function byName([a = '']: readonly string[], [b = '']: readonly string[]): number {
  return sortKey(a) < sortKey(b) ? -1 : 1;
}

function sortKey(cell: string): string {
  return /(\w+)\(/.exec(cell)?.[1]?.toLowerCase() ?? cell;
}

function code(text: string | null): string {
  return text === null || text === '' ? '' : `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
  return `${lines.join('\n')}\n`;
}
