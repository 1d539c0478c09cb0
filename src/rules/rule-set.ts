import { nearest } from './nearest.ts';
import { didYouMean, type Place, type Problems } from './problem.ts';
import {
  type EventSpec,
  LATER_SECTIONS,
  type ListSpec,
  type PatternSpec,
  type RuleSpec,
  type ScoringSpec,
  sections,
  type TestSpec,
} from './schema.ts';
import { accept } from './schema-issues.ts';
import type { AggregationSpec } from './schema-realtime.ts';
import type { RuleFiles } from './source-files.ts';
import { parseRuleFile, type RuleDocument, Spot } from './yaml-document.ts';

/** A part of the rule set, with its place. */
export interface Part<T> {
  readonly name: string;
  readonly spec: T;
  readonly spot: Spot;
}

/** All files as one set; each part is well-formed by itself, names are not yet looked up. */
export interface RuleSet {
  readonly events: ReadonlyMap<string, Part<EventSpec>>;
  readonly lists: ReadonlyMap<string, Part<ListSpec>>;
  readonly rules: readonly Part<RuleSpec>[];
  readonly patterns: readonly Part<PatternSpec>[];
  readonly scoring: ReadonlyMap<string, Part<ScoringSpec>>;
  readonly aggregates: readonly Part<AggregationSpec>[];
  /** Whole-set scenarios. */
  readonly tests: readonly Part<TestSpec>[];
  /** Names whose part was too broken to keep: they exist, so that nobody is told that they do not. */
  readonly brokenEvents: ReadonlySet<string>;
  /** A file was not YAML: names may be missing for that reason alone. */
  readonly incomplete: boolean;
}

class Builder {
  readonly events = new Map<string, Part<EventSpec>>();
  readonly lists = new Map<string, Part<ListSpec>>();
  readonly rules: Part<RuleSpec>[] = [];
  readonly patterns: Part<PatternSpec>[] = [];
  readonly scoring = new Map<string, Part<ScoringSpec>>();
  readonly aggregates: Part<AggregationSpec>[] = [];
  readonly tests: Part<TestSpec>[] = [];
  readonly brokenEvents = new Set<string>();
  incomplete = false;
  readonly #places = new Map<string, Place>();

  /** The same name twice, in whatever files, is a mistake that names both places. */
  once(what: string, name: string, place: Place, problems: Problems): boolean {
    const other = this.#places.get(`${what} ${name}`);
    if (other === undefined) {
      this.#places.set(`${what} ${name}`, place);
      return true;
    }
    problems.error(place, `${what} "${name}" is also at ${other.file}:${other.line}:${other.column}`);
    return false;
  }
}

export function readRuleSet(files: RuleFiles, problems: Problems): RuleSet {
  const set = new Builder();
  for (const file of files) readFile(parseRuleFile(file, problems), set, problems);
  return set;
}

const TOP = ['version', ...Object.keys(sections), ...LATER_SECTIONS];

function readFile(document: RuleDocument, set: Builder, problems: Problems): void {
  const root = new Spot(document, []);
  if (document.broken) {
    set.incomplete = true;
    return;
  }
  const data = document.data;
  if (!isMap(data)) {
    problems.error(root.place, 'a rule file is a map that begins with "version: 1"');
    set.incomplete = true;
    return;
  }
  readVersion(data, root, problems);
  for (const key of Object.keys(data)) {
    if ((LATER_SECTIONS as readonly string[]).includes(key)) {
      problems.error(root.in(key).key, `this version does not have ${key} yet`);
    } else if (!TOP.includes(key) && !key.startsWith('x-')) {
      problems.error(
        root.in(key).key,
        `unknown key "${key}"`,
        didYouMean(nearest(key, TOP)) ?? `known here: ${TOP.join(', ')}`,
      );
    }
  }
  readSections(data, root, set, problems);
}

function readVersion(data: Record<string, unknown>, root: Spot, problems: Problems): void {
  const version = data['version'];
  if (version === undefined) problems.error(root.place, '"version" is missing', 'write: version: 1');
  else if (version !== 1) {
    problems.error(root.in('version').place, `this version reads version: 1, not ${JSON.stringify(version)}`);
  }
}

function readSections(data: Record<string, unknown>, root: Spot, set: Builder, problems: Problems): void {
  for (const [name, value] of mapOf(data, 'events', root, problems)) {
    const spot = root.in('events', name);
    const spec = accept(sections.events.valueType, value, spot, problems);
    if (spec === null) set.brokenEvents.add(name);
    else if (named(name, spot, problems) && set.once('event', name, spot.key, problems)) {
      set.events.set(name, { name, spec, spot });
    }
  }
  for (const [name, value] of mapOf(data, 'lists', root, problems)) {
    const spot = root.in('lists', name);
    const spec = accept(sections.lists.valueType, value, spot, problems) ?? { values: [] };
    if (named(name, spot, problems) && set.once('list', name, spot.key, problems))
      set.lists.set(name, { name, spec, spot });
  }
  for (const [name, value] of mapOf(data, 'scoring', root, problems)) {
    const spot = root.in('scoring', name);
    const spec = accept(sections.scoring.valueType, value, spot, problems);
    if (spec !== null && set.once('scoring of', name, spot.key, problems))
      set.scoring.set(name, { name, spec, spot });
  }
  readLists(data, root, set, problems);
}

function readLists(data: Record<string, unknown>, root: Spot, set: Builder, problems: Problems): void {
  for (const [index, value] of listOf(data, 'rules', root, problems)) {
    const spot = root.in('rules', index);
    const spec = accept(sections.rules.element, value, spot, problems);
    if (spec !== null && set.once('rule', spec.id, spot.in('id').place, problems)) {
      set.rules.push({ name: spec.id, spec, spot });
    }
  }
  for (const [index, value] of listOf(data, 'patterns', root, problems)) {
    const spot = root.in('patterns', index);
    const spec = accept(sections.patterns.element, value, spot, problems);
    // Metrics, cooldowns and alerts know rules and patterns by their ids alone.
    if (spec !== null && set.once('rule', spec.id, spot.in('id').place, problems)) {
      set.patterns.push({ name: spec.id, spec, spot });
    }
  }
  for (const [index, value] of listOf(data, 'aggregates', root, problems)) {
    const spot = root.in('aggregates', index);
    const spec = accept(sections.aggregates.element, value, spot, problems);
    if (spec !== null && set.once('aggregate', spec.id, spot.in('id').place, problems)) {
      set.aggregates.push({ name: spec.id, spec, spot });
    }
  }
  for (const [index, value] of listOf(data, 'tests', root, problems)) {
    const spot = root.in('tests', index);
    const spec = accept(sections.tests.element, value, spot, problems);
    if (spec !== null) set.tests.push({ name: spec.name, spec, spot });
  }
}

function named(name: string, spot: Spot, problems: Problems): boolean {
  if (/^[A-Za-z_]\w*$/.test(name)) return true;
  problems.error(
    spot.key,
    `"${name}" is not a name`,
    'a name has letters, digits and "_", and begins with a letter',
  );
  return false;
}

function mapOf(
  data: Record<string, unknown>,
  key: string,
  root: Spot,
  problems: Problems,
): [string, unknown][] {
  const value = data[key];
  if (value === undefined || value === null) return [];
  if (isMap(value)) return Object.entries(value).filter(([name]) => !name.startsWith('x-'));
  problems.error(root.in(key).place, `"${key}" is a map of names`);
  return [];
}

function listOf(
  data: Record<string, unknown>,
  key: string,
  root: Spot,
  problems: Problems,
): [number, unknown][] {
  const value = data[key];
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return [...value.entries()];
  problems.error(root.in(key).place, `"${key}" is a list`, 'begin each entry with a dash: - …');
  return [];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
