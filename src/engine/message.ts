import type { Frame, MessageTemplate, ValueType } from '../rules/plan-parts.ts';
import { formatValue } from '../rules/value-format.ts';
import { cutMessage } from './text.ts';

/** What a person reads. `lets`: their types, in the order of `Frame.lets`. */
export function messageText(
  template: MessageTemplate,
  frame: Frame,
  lets: readonly { readonly type: ValueType }[],
): string {
  return cutMessage(template.map((part) => pieceText(part, frame, lets)).join(''));
}

function pieceText(
  part: MessageTemplate[number],
  frame: Frame,
  lets: readonly { readonly type: ValueType }[],
): string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'column': {
      const cell = frame.row.cells[part.column];
      return typeof cell === 'string' ? cell : 'null';
    }
    case 'let':
      return shown(frame.lets[part.index] ?? null, lets[part.index]?.type ?? 'string');
    case 'value':
      return shown(part.value(frame), part.type);
  }
}

function shown(value: Frame['lets'][number], type: ValueType): string {
  return value === null ? 'null' : formatValue(value, type);
}
