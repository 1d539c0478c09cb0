import type { Action, Frame, MessageTemplate, ValueType } from '../rules/plan-parts.ts';
import { formatValue, type Json, valueToJson } from '../rules/value-format.ts';
import { cleanValue, cutMessage } from './text.ts';

/** `let` values by name, as alerts, reasons and replay tell them. */
export function toldLets(
  plans: readonly { readonly name: string; readonly type: ValueType }[],
  values: Frame['lets'],
): Record<string, Json> {
  return Object.fromEntries(
    plans.map(({ name, type }, i) => [name, valueToJson(cleanValue(values[i] ?? null), type)]),
  );
}

/** Names of the webhooks that an alert goes to; null: the actions make no alert. */
export function alertWebhooks(actions: readonly Action[]): readonly string[] | null {
  const webhooks = actions.flatMap((action) => (action.kind === 'webhook' ? [action.name] : []));
  // A webhook is sent of an alert: the row in weir.alerts is what is not lost.
  return webhooks.length === 0 && !actions.some(({ kind }) => kind === 'alert') ? null : webhooks;
}

/** `let` values as people are told them, with their plans, in the order of the rule. */
export interface Told {
  readonly plans: readonly { readonly type: ValueType }[];
  readonly values: Frame['lets'];
}

/** What a person reads. */
export function messageText(template: MessageTemplate, frame: Frame, lets: Told): string {
  return cutMessage(template.map((part) => pieceText(part, frame, lets)).join(''));
}

function pieceText(part: MessageTemplate[number], frame: Frame, { plans, values }: Told): string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'column': {
      const cell = frame.row.cells[part.column];
      return typeof cell === 'string' ? cell : 'null';
    }
    case 'let':
      return shown(values[part.index] ?? null, plans[part.index]?.type ?? 'string');
    case 'value':
      return shown(part.value(frame), part.type);
  }
}

function shown(value: Frame['lets'][number], type: ValueType): string {
  return value === null ? 'null' : formatValue(value, type);
}
