import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SIGNATURES } from '../../../src/rules/cel/signatures.ts';
import { MACROS } from '../../../src/rules/cel/term.ts';
import { patternShape, stepShape } from '../../../src/rules/schema-patterns.ts';
import { overShape, windowShape } from '../../../src/rules/schema-windows.ts';
import { codesOfSource, ERROR_CODES, WARNINGS } from './error-codes.ts';
import { FUNCTION_MEANINGS, MACRO_MEANINGS } from './function-meanings.ts';
import { PATTERN_MEANINGS, STEP_MEANINGS } from './pattern-meanings.ts';
import { SECTIONS, type Section } from './tables.ts';
import { OVER_MEANINGS, WINDOW_MEANINGS } from './window-meanings.ts';

const ROOT = join(import.meta.dirname, '../../..');
const COMMAND = 'WEIR_DOCS=write npx vitest run test/unit/docs';
const WRITE = process.env['WEIR_DOCS'] === 'write';

describe('the documentation', () => {
  it.each(SECTIONS)('$file has the $name that the code has', async (section) => {
    const wanted = await section.make();
    const { before, written, after } = take(section);
    if (WRITE) writeFileSync(join(ROOT, section.file), `${before}${wanted}${after}`);
    else expect(written, `it differs from the code; to write it anew: ${COMMAND}`).toBe(wanted);
  });

  it('has a meaning for every code of the source, and for no other', () => {
    const { errors, warnings } = codesOfSource();
    expect(Object.keys(ERROR_CODES).sort()).toEqual([...errors.keys()].sort());
    expect(Object.keys(WARNINGS).sort()).toEqual([...warnings.keys()].sort());
  });

  it('has a meaning for every function of conditions, and for no other', () => {
    const names = [...new Set(SIGNATURES.map(({ name }) => name))];
    expect(Object.keys(FUNCTION_MEANINGS).sort()).toEqual(names.sort());
    expect(Object.keys(MACRO_MEANINGS).sort()).toEqual([...MACROS, 'is_null', 'has'].sort());
  });

  it('has a meaning for every key of windows, and for no other', () => {
    expect(Object.keys(WINDOW_MEANINGS)).toEqual(Object.keys(windowShape));
    expect(Object.keys(OVER_MEANINGS)).toEqual(Object.keys(overShape));
  });

  it('has a meaning for every key of patterns and steps, and for no other', () => {
    expect(Object.keys(PATTERN_MEANINGS)).toEqual([...Object.keys(patternShape), 'tests']);
    expect(Object.keys(STEP_MEANINGS)).toEqual(Object.keys(stepShape));
  });

  it.each(['README.md', 'CHANGELOG.md', 'docs/reference.md'])(
    '%s links to nothing that is not there',
    (file) => {
      const targets = [...read(file).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target);
      const gone = targets.filter(
        (target) => !/^https?:/.test(target) && !existsSync(join(ROOT, dirname(file), target)),
      );
      expect(gone).toEqual([]);
    },
  );
});

/** The text of a section, and what stands around it. */
function take({ file, name }: Section): Record<'before' | 'written' | 'after', string> {
  const text = read(file);
  const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`${file} has no place for it: ${open.trim()} … ${close}`);
  const start = from + open.length;
  return { before: text.slice(0, start), written: text.slice(start, to), after: text.slice(to) };
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}
