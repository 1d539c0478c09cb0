import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');

/** Which rooms a room may import from, beside itself: the arrows of design.md. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  base: [], // errors.ts, config.ts, failpoint.ts
  events: ['base', 'rules'], // a row's JSON needs its columns' types
  rules: ['base', 'events'],
  'rules/testing': ['base', 'events', 'rules', 'engine', 'source'],
  engine: ['events', 'rules'],
  queue: ['base', 'events'],
  store: ['base', 'events', 'rules', 'engine'],
  source: ['base', 'events', 'rules', 'queue', 'store'],
  guard: ['base', 'rules', 'source', 'store'],
  worker: ['base', 'events', 'rules', 'engine', 'queue', 'store'],
  actions: ['base', 'queue', 'store'],
  monitor: ['base', 'actions', 'events', 'rules', 'queue', 'store', 'source', 'worker'],
  demo: ['base', 'app', 'cli'],
  cli: [
    'base',
    'events',
    'rules',
    'rules/testing',
    'queue',
    'store',
    'source',
    'guard',
    'monitor',
    'demo',
    'app',
  ],
  app: [
    'base',
    'actions',
    'rules',
    'engine',
    'queue',
    'store',
    'source',
    'guard',
    'worker',
    'monitor',
    'cli',
  ],
};

/** Node's own modules that do I/O, and packages that do. `crypto` only computes. */
const IO = /^(node:(?!crypto$|util$|assert)|pg$|bullmq|ioredis|pino)/;

interface File {
  readonly path: string;
  readonly room: string;
  readonly imports: readonly string[];
}

function room(path: string): string {
  const parts = path.split('/');
  if (parts.length === 1) return parts[0] === 'app.ts' ? 'app' : 'base';
  return path.startsWith('rules/testing/') ? 'rules/testing' : (parts[0] as string);
}

const files: readonly File[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(SRC, path), 'utf8');
    const imports = [...text.matchAll(/^(?:import|export)[^'"]*?from '([^']+)'/gms)].map(
      (m) => m[1] as string,
    );
    return { path, room: room(path), imports };
  });

function target(file: File, specifier: string): string {
  return relative(SRC, join(SRC, dirname(file.path), specifier));
}

describe('the rooms', () => {
  it('import only along the arrows of the design', () => {
    const against = files.flatMap((file) =>
      file.imports
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => target(file, specifier))
        .filter((to) => room(to) !== file.room && !(ARROWS[file.room] ?? []).includes(room(to)))
        .map((to) => `${file.path} → ${to}`),
    );
    expect(against).toEqual([]);
  });

  it('have an engine that does no I/O', () => {
    const doing = files
      .filter((file) => file.room === 'engine')
      .flatMap((file) =>
        file.imports.filter((specifier) => IO.test(specifier)).map((s) => `${file.path} → ${s}`),
      );
    expect(doing).toEqual([]);
  });

  it('have no file that imports itself through others', () => {
    const edges = new Map(
      files.map((file) => [
        file.path,
        file.imports.filter((s) => s.startsWith('.')).map((s) => target(file, s)),
      ]),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      if (trail.includes(path) || done.has(path)) return;
      for (const next of edges.get(path) ?? []) walk(next, [...trail, path]);
      done.add(path);
    };
    for (const path of edges.keys()) walk(path, []);
    expect(cycles).toEqual([]);
  });
});
