import type pg from 'pg';
import type { Config } from '../config.ts';
import { connect } from './connect.ts';
import { type DoctorFinding, examine, exitOf, shownFindings } from './doctor-finding.ts';
import { examineQueue } from './doctor-queue.ts';
import { examineRules, examineSource } from './doctor-source.ts';
import { examineStore } from './doctor-store.ts';
import { print } from './io.ts';
import { loadConfig } from './load-config.ts';
import type { CommandSpec } from './program.ts';

export const doctorCommand: CommandSpec = {
  name: 'doctor',
  summary: 'What Weir needs of PostgreSQL and of the queue: what is, why it matters, the exact fix',
  config: ['rules', 'slot', 'partitions', 'columns'],
  details:
    'Changes nothing. Exit codes: 0 no errors (warnings may be), 1 errors, 3 something cannot be reached.',
  action: async ({ io, sources, json }) => {
    const config = loadConfig(sources);
    const findings = await round(config, io.cwd);
    await print(io, json ? `${JSON.stringify({ findings }, null, 2)}\n` : shownFindings(findings));
    return exitOf(findings);
  },
};

async function round(config: Config, cwd: string): Promise<readonly DoctorFinding[]> {
  const { databaseUrl, storeUrl, slot } = config;
  const source = { url: databaseUrl, variable: 'DATABASE_URL', slot };
  const store = { url: storeUrl, variable: 'WEIR_STORE_URL', slot };
  const reached = await reach(source);
  const ofSource =
    'problem' in reached
      ? reached.problem
      : [
          ...(await examine('source', () => examineSource(config, reached.client))),
          ...(await examine('rules', () => examineRules(config, { source: reached.client, cwd }))),
        ];
  if ('client' in reached) await reached.client.end();
  return [
    ...ofSource,
    ...('problem' in reached && storeUrl === databaseUrl
      ? [] // told once
      : await examine('store', () => withStore(store))),
    ...(await examine('queue', () => examineQueue(config))),
  ];
}

type Reached = { readonly client: pg.Client } | { readonly problem: readonly DoctorFinding[] };

async function reach(target: Parameters<typeof connect>[0]): Promise<Reached> {
  try {
    return { client: await connect(target) };
  } catch (error) {
    return { problem: await examine('source', () => Promise.reject(error)) };
  }
}

async function withStore(target: Parameters<typeof connect>[0]) {
  const client = await connect(target);
  try {
    return await examineStore(client);
  } finally {
    await client.end();
  }
}
