/** What the keys of a window say. The test compares the names with those of the schema. */
export const WINDOW_MEANINGS: Readonly<Record<string, string>> = {
  count: 'Rows of an event: `count: transaction`',
  sum: 'Of a column of numbers: `sum: amount`, or `sum: transaction.amount` of another event. Exact, whatever came and went',
  avg: 'Mean',
  stddev:
    'Standard deviation of a sample, from exact sums: right to the last digit also for great numbers. NULL below two values',
  min: 'Least number or time',
  max: 'Greatest number or time',
  percentile:
    "`percentile: [amount, 95]`: from 0 to 100, between two values in proportion, as PostgreSQL's percentile_cont",
  distinct: 'How many values differ',
  first: 'Value of the oldest row',
  last: 'Value of the newest row',
  previous: 'Value of the row before this one, whatever `current` says',
  list: 'The values, oldest first, for `country in seen` and `size(seen)`. It holds the newest 1,000; `weir_window_lists_cut_total` counts rows for which it had more',
  speed_kmh:
    '`speed_kmh: [latitude, longitude]`, in degrees: from the row before to this one, along the surface of the Earth. NULL without a row before, or where a coordinate is NULL. Two places at one time are infinitely fast, one place is 0',
  first_seen:
    'True where no row before this one shows its value: `first_seen: device_id`. NULL where its own value is, or where it is late by more than twice the `lateness` and no row that is still kept shows it',
  by: 'Whose rows: a column, several, or a map by event: `{ transaction: user_id, login: uid }`',
  over: 'Which rows, see below',
  when: 'CEL over the rows that it holds: only those of which it is true',
  current: '`false`: without the row itself',
};

export const OVER_MEANINGS: Readonly<Record<string, string>> = {
  tumbling: '`{ tumbling: 1h }`: the hour (from 1970 in UTC) that the row is in, up to the row',
  hopping:
    '`{ hopping: 10m, every: 1m }`: of the windows of 10 minutes that begin every minute and hold the row, the one that closes next, up to the row',
  every: 'How often a hopping window begins: it goes into its length without a rest',
  session:
    '`{ session: 30m }`: back from the row while each row comes less than 30 minutes before the next; no further than `within` (1 day)',
  rows: '`{ rows: 10 }`: the last 10 rows, at most 10,000; none that is older than `within` (30 days)',
  within: 'How far back a session, or the last rows, may reach: a key that is idle so long is forgotten',
};
