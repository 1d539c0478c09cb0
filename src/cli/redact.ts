/** A URL for people: `postgresql://weir@db:5432/shop`. Anything that is not a URL comes back as it is, scrubbed. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return withoutPasswords(url);
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  for (const name of shown.searchParams.keys())
    if (/password|secret|token|sslkey/i.test(name)) shown.searchParams.set(name, '***');
  return shown.href;
}

/**
 * Every text that leaves for a log or a terminal passes here: errors of libraries may quote the URL they were given
 * (`new URL` does, in `input`). Greedy up to the last `@`, since passwords with a bare `@` are common mistakes.
 */
export function withoutPasswords(text: string): string {
  return (
    text
      // Except for the word itself, which examples have.
      .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@"']*):(?!PASSWORD@)[^\s"'/]+@/gi, '$1:***@')
      .replace(/([?&](?:password|token|secret)=)[^\s&"']+/gi, '$1***')
  );
}
