import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DEFAULTS } from '../config.ts';
import type { ConfigFile, Problem, Said } from './config-file.ts';
import { type ConfigKey, KEYS } from './config-keys.ts';
import { shownUrl } from './redact.ts';

export interface ConfigSources {
  /** As commander parsed them, by attribute: `{ http: '…', allowActions: true }`. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Looks a key up in flags, environment and file, in this order, and gathers what was wrong. */
export class ConfigReader {
  readonly problems: Problem[];
  readonly #sources: ConfigSources;
  readonly #file: ConfigFile;

  constructor(sources: ConfigSources, file: ConfigFile, problems: Problem[]) {
    this.#sources = sources;
    this.#file = file;
    this.problems = problems;
  }

  /** undefined: nobody said it, or what was said is a problem now. */
  get<Value>(key: ConfigKey<Value>): Value | undefined {
    const said = this.#flag(key) ?? this.#environment(key) ?? this.#inFile(key);
    if (said === undefined) return undefined;
    const parsed = key.schema.safeParse(said.text);
    if (parsed.success) return parsed.data;
    this.problems.push({
      code: 'WEIR_CONFIG_VALUE',
      message: `${said.place} is ${JSON.stringify(key.secret ? shownUrl(said.text) : said.text)}: expected ${key.expected}`,
    });
    return undefined;
  }

  /** A path in weir.yaml is relative to weir.yaml, any other to where the command was typed. */
  rulesPath(fileDirectory: string): string {
    const fromFile = this.#flag(KEYS.rules) === undefined && this.#environment(KEYS.rules) === undefined;
    const base = fromFile && this.#inFile(KEYS.rules) !== undefined ? fileDirectory : this.#sources.cwd;
    return resolve(base, this.get(KEYS.rules) ?? DEFAULTS.rulesPath);
  }

  #flag({ flag }: ConfigKey): Said | undefined {
    if (flag === null) return undefined;
    const value = this.#sources.flags[attribute(flag)];
    return value === undefined ? undefined : { text: String(value), place: flag.split(' ')[0] ?? flag };
  }

  /** An empty variable is one that is not set: docker compose makes those. */
  #environment({ env }: ConfigKey): Said | undefined {
    if (env === null) return undefined;
    const direct = this.#sources.env[env];
    const path = this.#sources.env[`${env}_FILE`];
    if (direct !== undefined && direct !== '') return { text: direct, place: env };
    return path === undefined || path === '' ? undefined : this.#secret(`${env}_FILE`, path);
  }

  #secret(variable: string, path: string): Said | undefined {
    try {
      const text = readFileSync(resolve(this.#sources.cwd, path), 'utf8').replace(/\r?\n$/, '');
      return { text, place: `${variable} (${path})` };
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? String(error);
      const message = `${variable} is ${JSON.stringify(path)}, which cannot be read (${why})`;
      if (!this.problems.some((known) => known.message === message))
        this.problems.push({ code: 'WEIR_SECRET_FILE', message });
      return undefined;
    }
  }

  #inFile({ key, env }: ConfigKey): Said | undefined {
    const said = key === null ? undefined : this.#file.values.get(key);
    return said === undefined ? undefined : { text: said.text, place: `${said.place}: ${key ?? env}` };
  }
}

/** As commander names the attribute of `--log-level <level>`: `logLevel`. */
export function attribute(flag: string): string {
  return flag.replace(/^--| .*$/g, '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
