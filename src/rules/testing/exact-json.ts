import { NumberText } from './given.ts';

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** No JSON text can hold it unescaped, so no string of the line is mistaken for a number. */
const MARK = '\u0000number:';

/** JSON in which each number is a NumberText: JSON.parse would round int8 and drop the zeros of numeric. */
export function parseExactJson(text: string): unknown {
  JSON.parse(text); // what is not JSON must not become it by the marks
  const marked = text.replace(TOKEN, (token) =>
    token.startsWith('"') ? token : JSON.stringify(MARK + token),
  );
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? new NumberText(value.slice(MARK.length)) : value,
  );
}
