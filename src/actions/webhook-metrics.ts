/** What is counted of webhooks. */
export interface WebhookMetrics {
  delivery(webhook: string, outcome: 'delivered' | 'failed' | 'dead'): void;
  /** Whether the receiver is left alone, since it is down. */
  circuit(webhook: string, open: boolean): void;
}
