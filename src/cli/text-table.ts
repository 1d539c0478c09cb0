/** Columns as wide as their widest cell, two spaces apart; no trailing blanks. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  return rows
    .map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** As PostgreSQL's pg_size_pretty: `1536 kB`. */
export function shownBytes(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  while (Math.abs(amount) >= 10_240 && unit < UNITS.length - 1) [amount, unit] = [amount / 1_024, unit + 1];
  return `${Math.round(amount)} ${UNITS[unit]}`;
}

/** `3 s`, `5 min`, `2 h`, `4 d`. */
export function shownAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
