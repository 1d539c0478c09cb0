import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { WebhookConfig } from '../config.ts';
import { nearest } from '../rules/nearest.ts';
import { KEYS, WEBHOOKS, webhookSchema } from './config-keys.ts';

/** Something said that cannot be; `place` names where: `weir.yaml:3:7`, `WEIR_HTTP`, `--http`. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export interface Said {
  readonly text: string;
  readonly place: string;
}

export interface ConfigFile {
  /** By dotted key. */
  readonly values: ReadonlyMap<string, Said>;
  readonly webhooks: Readonly<Record<string, WebhookConfig>>;
  readonly problems: readonly Problem[];
}

export const NO_FILE: ConfigFile = { values: new Map(), webhooks: {}, problems: [] };

const DOTTED = Object.values(KEYS).flatMap(({ key }) => (key === null ? [] : [key]));

/** weir.yaml, with every problem in it at its place. Relative to `shown` are the places. */
export function readConfigFile(path: string, shown: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${shown}:${line}:${col}`;
  };
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0)
    return {
      ...NO_FILE,
      problems: broken.map((error) => problem(`${at(error.pos[0])}: broken YAML: ${error.message}`)),
    };
  return new FileReader(at).read(document.contents, shown);
}

function problem(message: string, hint?: string): Problem {
  return { code: 'WEIR_CONFIG_FILE', message, ...(hint === undefined ? {} : { hint }) };
}

class FileReader {
  readonly #at: (offset: number) => string;
  readonly #values = new Map<string, Said>();
  readonly #webhooks: Record<string, WebhookConfig> = {};
  readonly #problems: Problem[] = [];

  constructor(at: (offset: number) => string) {
    this.#at = at;
  }

  read(root: Node | null, shown: string): ConfigFile {
    if (isMap(root)) for (const pair of root.items) this.#pair(pair, '');
    else if (root !== null) this.#problems.push(problem(`${shown}: expected a map of settings`));
    return { values: this.#values, webhooks: this.#webhooks, problems: this.#problems };
  }

  #pair(pair: Pair<unknown, unknown>, prefix: string): void {
    const name = isScalar(pair.key) ? String(pair.key.value) : '?';
    const path = `${prefix}${name}`;
    if (name.startsWith('x-')) return;
    const place = this.#place(pair.value ?? pair.key);
    if (path === WEBHOOKS) this.#eachWebhook(pair.value, place);
    else if (DOTTED.includes(path)) this.#leaf(path, pair.value, place);
    else if (!DOTTED.some((known) => known.startsWith(`${path}.`)))
      this.#unknown(path, prefix, this.#place(pair.key));
    else if (isMap(pair.value)) for (const inner of pair.value.items) this.#pair(inner, `${path}.`);
    else this.#problems.push(problem(`${place}: ${path} is expected to be a map`));
  }

  #leaf(path: string, value: unknown, place: string): void {
    const scalar = isScalar(value) ? value.value : undefined;
    if (typeof scalar === 'string' || typeof scalar === 'number' || typeof scalar === 'boolean')
      this.#values.set(path, { text: String(scalar), place });
    else
      this.#problems.push(problem(`${place}: ${path} has no value`, `leave ${path} out to have the default`));
  }

  #unknown(path: string, prefix: string, place: string): void {
    const siblings = [...DOTTED, WEBHOOKS]
      .filter((known) => known.startsWith(prefix))
      .map((known) => `${prefix}${known.slice(prefix.length).split('.')[0]}`);
    const near = nearest(path, siblings);
    this.#problems.push(
      problem(`${place}: unknown key ${path}`, near === null ? undefined : `did you mean ${near}?`),
    );
  }

  #eachWebhook(value: unknown, place: string): void {
    if (!isMap(value)) {
      this.#problems.push(
        problem(`${place}: webhooks is expected to be a map: webhooks: { NAME: { url, secret } }`),
      );
      return;
    }
    for (const pair of value.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '?';
      const where = this.#place(pair.value ?? pair.key);
      const parsed = webhookSchema.safeParse(isMap(pair.value) ? pair.value.toJSON() : null);
      if (parsed.success) this.#webhooks[name] = parsed.data;
      else
        for (const issue of parsed.error.issues)
          this.#problems.push(
            problem(`${where}: ${['webhooks', name, ...issue.path].join('.')}: ${issue.message}`),
          );
    }
  }

  #place(node: unknown): string {
    const range = (node as Node | null)?.range;
    return this.#at(range?.[0] ?? 0);
  }
}
