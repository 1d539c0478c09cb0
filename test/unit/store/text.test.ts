import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asciiText, cleanJson, cleanText, cutText } from '../../../src/store/text.ts';

describe('text for PostgreSQL', () => {
  it('has no NUL', () => {
    expect(cleanText('a\0b\0')).toBe('a\ufffdb\ufffd');
    expect(cleanText('as it was')).toBe('as it was');
  });

  it('keeps JSON as it is but for what jsonb refuses', () => {
    expect(cleanJson('{"a": 12.50, "b": "\\u00e9\\n\\\\u0000"}')).toBe(
      '{"a": 12.50, "b": "\\u00e9\\n\\\\u0000"}',
    );
    expect(cleanJson('"\\u0000 \\\\\\u0000"')).toBe('"\\ufffd \\\\\\ufffd"');
    expect(cleanJson('"\\ud83d\\ude00 \\ud83d \\ude00"')).toBe('"\\ud83d\\ude00 \\ufffd \\ufffd"');
  });

  it('says of any string what it said before, with U+FFFD for what PostgreSQL cannot hold', () => {
    const codeUnits = fc
      .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0x5c, 0x22, 0xd83d, 0xde00)))
      .map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(codeUnits, (text) => {
        const wellFormed = Buffer.from(text, 'utf8').toString('utf8').replaceAll('\0', '\ufffd');
        expect(JSON.parse(cleanJson(JSON.stringify(text)))).toBe(wellFormed);
      }),
    );
  });

  it('is cut between code points', () => {
    expect(cutText('a😀b', 2)).toBe('a😀…');
    expect(cutText('a😀', 2)).toBe('a😀');
    expect(cutText('abc', 3)).toBe('abc');
    expect(cutText('😀😀😀', 1)).toBe('😀…');
  });

  it('becomes plain ASCII at the last', () => {
    expect(asciiText('é\n"x"')).toBe('??"x"');
  });
});
