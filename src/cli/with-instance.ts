import type pg from 'pg';
import type { Config } from '../config.ts';
import type { ExitCode } from '../errors.ts';
import type { Instance } from '../store/control.ts';
import { openControl } from '../store/control-store.ts';
import { openPool } from '../store/session.ts';
import { withClient } from './connect.ts';
import { notInitialised } from './status.ts';

export interface Here {
  readonly config: Config;
  readonly instance: Instance;
  readonly store: pg.Pool;
}

/** For commands on what the store holds of an instance. */
export async function withInstance(
  config: Config,
  work: (here: Here) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { storeUrl: url, slot } = config;
  // The pool would retry and say less of why: the first connection is ours.
  await withClient({ url, variable: 'WEIR_STORE_URL', slot }, () => Promise.resolve());
  const store = openPool({ url, slot, max: 1 });
  try {
    const instance = await openControl(store, slot).instance();
    if (instance === null) throw notInitialised(config);
    return await work({ config, instance, store });
  } finally {
    await store.end();
  }
}
