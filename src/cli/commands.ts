import { checkCommand } from './check.ts';
import { initCommand } from './init.ts';
import type { CommandSpec } from './program.ts';
import { schemaCommand } from './schema.ts';
import { statusCommand } from './status.ts';
import { teardownCommand } from './teardown.ts';

/** In the order in which a new user meets them. */
export const COMMANDS: readonly CommandSpec[] = [
  initCommand,
  teardownCommand,
  checkCommand,
  statusCommand,
  schemaCommand,
];
