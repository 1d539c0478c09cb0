import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { WeirError } from '../errors.ts';

export interface RuleFile {
  /** Within the rule set, with `/`: part of the rule set's version, so it does not depend on where the set lies. */
  readonly name: string;
  readonly text: string;
  /** Where it was read, for the places of mistakes; default its name. */
  readonly path?: string;
}
/** Sorted by name. */
export type RuleFiles = readonly RuleFile[];

/** Rule sets to read and copy, which are in force only where they are named. */
const EXAMPLES = 'examples';

/**
 * A rule file, or every *.yaml and *.yml below a directory, without those of directories named `examples` in it.
 * Throws a WeirError that names the path and the fix.
 */
export function readRuleFiles(path: string): RuleFiles {
  const paths = isDirectory(path) ? walk(path) : [path];
  if (paths.length === 0) {
    throw new WeirError({
      code: 'WEIR_NO_RULES',
      message: `no rules: ${JSON.stringify(path)} has no *.yaml or *.yml file`,
      hint: 'put a rule file there, or name another directory: on the command line, or in WEIR_RULES',
    });
  }
  const files = paths.map((file) => ({ name: nameOf(path, file), path: file, text: read(file) }));
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nameOf(root: string, file: string): string {
  return root === file ? basename(file) : relative(root, file).split(sep).join('/');
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function walk(directory: string): string[] {
  const entries = readdirSync(directory, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    // A mounted ConfigMap keeps its older versions in `..data` directories beside the links.
    if (entry.name.startsWith('.')) return [];
    const directoryHere = entry.isDirectory() || (entry.isSymbolicLink() && isDirectory(path));
    if (directoryHere) return entry.name === EXAMPLES ? [] : walk(path);
    return /\.ya?ml$/i.test(entry.name) ? [path] : [];
  });
}

function read(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): WeirError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new WeirError({
    code: 'WEIR_RULES_UNREADABLE',
    message: `cannot read rules from ${JSON.stringify(path)}: ${why}`,
    hint: 'name a rule file or a directory: on the command line, or in WEIR_RULES (default ./rules)',
    cause,
  });
}
