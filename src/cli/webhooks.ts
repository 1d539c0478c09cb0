import { EXIT, WeirError } from '../errors.ts';
import { type DeliveryCounts, deliveryCounts, retryDead } from '../store/outbox.ts';
import { print } from './io.ts';
import { loadConfig } from './load-config.ts';
import type { CommandSpec } from './program.ts';
import { textTable } from './text-table.ts';
import { withInstance } from './with-instance.ts';

export const webhooksCommand: CommandSpec = {
  name: 'webhooks',
  summary: 'Deliveries of alerts to webhooks: list them, or retry those that were given up',
  args: [
    ['<action>', 'list or retry'],
    ['[name]', 'of this webhook only'],
  ],
  config: ['slot'],
  options: [],
  details: `list counts deliveries by webhook and shows the last error of each. retry makes those that were given up pending
again: a running Weir sends them within seconds, under the same webhook-id.
Exit codes: 0 ok, 1 list: some were given up, 2 usage, 3 the store does not answer.`,
  action: ({ args, io, json, sources }) => {
    const [action = '', name] = args;
    if (action !== 'list' && action !== 'retry') {
      const message = `there is no action ${JSON.stringify(action)}`;
      throw new WeirError({ code: 'WEIR_WEBHOOKS', message, hint: 'list, or retry', exit: EXIT.usage });
    }
    const webhook = name ?? null;
    return withInstance(loadConfig(sources), async ({ store, instance: { processorId } }) => {
      if (action === 'retry') {
        const retried = await retryDead(store, { processorId, webhook });
        await print(io, json ? `${JSON.stringify({ retried })}\n` : `${retried} to be sent again\n`);
        return EXIT.ok;
      }
      const webhooks = await deliveryCounts(store, { processorId, webhook });
      await print(io, json ? `${JSON.stringify({ webhooks }, null, 2)}\n` : shown(webhooks));
      return webhooks.some(({ dead }) => dead > 0) ? EXIT.findings : EXIT.ok;
    });
  },
};

function shown(webhooks: readonly DeliveryCounts[]): string {
  if (webhooks.length === 0) return 'no deliveries\n';
  const rows = webhooks.map(({ webhook, pending, delivered, dead, lastError }) => {
    return [webhook, String(pending), String(delivered), String(dead), lastError ?? ''];
  });
  return textTable([['webhook', 'pending', 'delivered', 'given up', 'last error'], ...rows]);
}
