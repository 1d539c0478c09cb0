import { EXIT } from '../errors.ts';
import { ruleSchemaJson } from '../rules/schema.ts';
import { print } from './io.ts';
import type { CommandSpec } from './program.ts';

export const schemaCommand: CommandSpec = {
  name: 'schema',
  summary: 'Print the JSON Schema of rule files, for editors',
  details: `In VS Code with the YAML extension, after weir schema > weir.schema.json:
  # yaml-language-server: $schema=./weir.schema.json`,
  action: async ({ io }) => {
    await print(io, `${JSON.stringify(ruleSchemaJson(), null, 2)}\n`);
    return EXIT.ok;
  },
};
