import { checkCommand } from './check.ts';
import { deadLettersCommand } from './dead-letters.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { guardCommand } from './guard.ts';
import { initCommand } from './init.ts';
import { listCommand } from './list.ts';
import type { CommandSpec } from './program.ts';
import { replayCommand } from './replay.ts';
import { runCommand } from './run.ts';
import { schemaCommand } from './schema.ts';
import { statusCommand } from './status.ts';
import { teardownCommand } from './teardown.ts';
import { testCommand } from './test.ts';
import { webhooksCommand } from './webhooks.ts';

/** In the order in which a new user meets them. */
export const COMMANDS: readonly CommandSpec[] = [
  demoCommand,
  doctorCommand,
  initCommand,
  runCommand,
  statusCommand,
  listCommand,
  guardCommand,
  teardownCommand,
  checkCommand,
  testCommand,
  replayCommand,
  deadLettersCommand,
  webhooksCommand,
  schemaCommand,
];
