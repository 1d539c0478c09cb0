import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Document, isMap, isScalar, parseDocument, Scalar } from 'yaml';
import { sourceOffset } from '../../../src/rules/yaml-offset.ts';

const STYLES = ['PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_FOLDED', 'BLOCK_LITERAL'] as const;
const chars = fc.constantFrom(...'ab0 "\'\\&|!>=<.#:[]{},\n\tä€😀');
const texts = fc.string({ unit: chars, minLength: 1, maxLength: 60 });

function written(value: string, style: (typeof STYLES)[number]): { text: string; scalar: Scalar } | null {
  const scalar = new Scalar(value);
  scalar.type = style;
  const text = new Document({ rules: [{ when: scalar }] }).toString({ lineWidth: 40 });
  const document = parseDocument(text);
  const read = document.getIn(['rules', 0, 'when'], true);
  return isScalar(read) && read.value === value && isMap(document.contents) ? { text, scalar: read } : null;
}

test('every character of a text is found where it stands in YAML, whatever the form', () => {
  let checked = 0;
  fc.assert(
    fc.property(texts, fc.constantFrom(...STYLES), (value, style) => {
      const found = written(value, style);
      if (found === null) return;
      for (let i = 0; i < value.length; i += 1) {
        const char = value[i] ?? '';
        // What folds and indents is white space: it may stand anywhere between its neighbours.
        if (/\s/.test(char) || /[\uDC00-\uDFFF]/.test(char)) continue;
        const at = sourceOffset(found.text, found.scalar, i);
        const there = found.text[at];
        const escaped = there === '\\' && found.scalar.type === 'QUOTE_DOUBLE';
        expect([value, i, escaped ? char : there]).toEqual([value, i, char]);
        checked += 1;
      }
    }),
    { numRuns: 400 },
  );
  expect(checked).toBeGreaterThan(1000);
});
