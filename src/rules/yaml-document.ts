import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Place, Problems } from './problem.ts';
import type { RuleFile } from './source-files.ts';
import { sourceOffset } from './yaml-offset.ts';
import { findTraps, type Trap, writtenColumn } from './yaml-traps.ts';

export type Path = readonly (string | number)[];

/** A rule file as YAML: its data, and the place of every part of it. */
export interface RuleDocument {
  readonly file: string;
  readonly data: unknown;
  /** YAML could not make sense of it: its data is not worth checking. */
  readonly broken: boolean;
  readonly text: string;
  readonly lines: LineCounter;
  readonly yaml: Document;
  readonly traps: readonly Trap[];
}

/** Every mistake and warning of YAML is told; a condition that is not quoted is told, and read as if it were. */
export function parseRuleFile(file: RuleFile, problems: Problems): RuleDocument {
  const shown = file.path ?? file.name;
  const source = file.text.replace(/^\uFEFF/, '');
  const traps = findTraps(source);
  for (const trap of traps) {
    const place = { file: shown, line: trap.line, column: trap.column };
    problems.error(place, `this text must be quoted: ${trap.why}`, `write: ${trap.quoted}`);
  }
  const text = heal(source, traps);
  const lines = new LineCounter();
  const yaml = parseDocument(text, {
    version: '1.2',
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  let broken = false;
  for (const error of [...yaml.errors, ...yaml.warnings]) {
    const { line, col } = lines.linePos(error.pos[0]);
    if (error.name === 'YAMLParseError' && error.code !== 'DUPLICATE_KEY') broken = true;
    problems.error(
      { file: shown, line, column: col },
      yamlMessage(error.code, error.message),
      error.code === 'DUPLICATE_KEY' ? null : quoteHint(text, line),
    );
  }
  const document = { file: shown, text, lines, yaml, traps, broken };
  return { ...document, ...readData(document, problems) };
}

function readData(
  document: Omit<RuleDocument, 'data'>,
  problems: Problems,
): { data: unknown; broken: boolean } {
  try {
    return { data: document.yaml.toJS({ maxAliasCount: 100 }), broken: document.broken };
  } catch (error) {
    const place = { file: document.file, line: 1, column: 1 };
    if (!document.broken) problems.error(place, error instanceof Error ? error.message : String(error));
    return { data: null, broken: true };
  }
}

function heal(text: string, traps: readonly Trap[]): string {
  if (traps.length === 0) return text;
  const lines = text.split('\n');
  for (const trap of traps) lines[trap.line - 1] = trap.healed;
  return lines.join('\n');
}

function yamlMessage(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key is here twice';
  if (code === 'MULTIPLE_DOCS') return 'a rule file is one YAML document: "---" begins a second one';
  if (code === 'TAB_AS_INDENT') return 'YAML: a line is indented with spaces, and this one has a tab';
  return `YAML: ${message}`;
}

function quoteHint(text: string, line: number): string | null {
  const source = text.split('\n')[line - 1] ?? '';
  return /\b(when|unless|message)\s*:/.test(source) ? 'a text that holds signs of YAML must be quoted' : null;
}

interface Found {
  readonly key: Node | null;
  readonly value: Node | null;
  /** false: the path leads nowhere, and this is the last node on the way. */
  readonly whole: boolean;
}

/** The node at a path and the key it stands under. */
function find(document: RuleDocument, path: Path): Found {
  let value: Node | null = document.yaml.contents;
  let key: Node | null = null;
  for (const step of path) {
    if (isAlias(value)) value = value.resolve(document.yaml) ?? null;
    const next = isMap(value)
      ? entry(value, String(step))
      : isSeq(value)
        ? element(value, Number(step))
        : null;
    if (next === null) return { key, value, whole: false };
    ({ key, value } = next);
  }
  return { key, value, whole: true };
}

function entry(map: YAMLMap, name: string): { key: Node; value: Node } | null {
  const pair = map.items.find(({ key }) => keyText(key) === name);
  return pair === undefined ? null : { key: pair.key as Node, value: (pair.value ?? pair.key) as Node };
}

function element(list: YAMLSeq, index: number): { key: Node; value: Node } | null {
  const item = list.items[index] as Node | undefined;
  return item === undefined ? null : { key: item, value: item };
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

/** A part of a rule file: where mistakes about it are shown. */
export class Spot {
  readonly document: RuleDocument;
  readonly path: Path;

  constructor(document: RuleDocument, path: Path) {
    this.document = document;
    this.path = path;
  }

  in(...steps: (string | number)[]): Spot {
    return new Spot(this.document, [...this.path, ...steps]);
  }

  /** Where its value begins. */
  get place(): Place {
    return this.#at(find(this.document, this.path).value?.range?.[0] ?? 0);
  }

  /** Where the key is that it stands under. */
  get key(): Place {
    return this.#at(find(this.document, this.path).key?.range?.[0] ?? 0);
  }

  /** Where the character at `offset` of its text is. */
  within(offset: number): Place {
    const { value } = find(this.document, this.path);
    const scalar = isAlias(value) ? value.resolve(this.document.yaml) : value;
    if (!(scalar instanceof Scalar)) return this.place;
    return this.#at(sourceOffset(this.document.text, scalar, offset));
  }

  /** The keys of a map, also of those whose values did not pass. */
  get keys(): string[] {
    const { value, whole } = find(this.document, this.path);
    const map = isAlias(value) ? value.resolve(this.document.yaml) : value;
    return whole && isMap(map) ? map.items.map(({ key }) => keyText(key)) : [];
  }

  /** A scalar as it is written: `007` and `5.00` keep their digits. */
  get written(): string | null {
    const { value } = find(this.document, this.path);
    const scalar = isAlias(value) ? value.resolve(this.document.yaml) : value;
    if (!(scalar instanceof Scalar) || scalar.value === null) return null;
    return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? String(scalar.value));
  }

  #at(offset: number): Place {
    const { line, col } = this.document.lines.linePos(offset);
    // The quotes that were put around a text are not in the user's file.
    const healed = this.document.traps.find((trap) => trap.line === line);
    const column = healed === undefined ? col : writtenColumn(healed, col);
    return { file: this.document.file, line: Math.max(line, 1), column: Math.max(column, 1) };
  }
}
