import { styleText } from 'node:util';

/** A sequence that a pattern found, as `weir.alerts` has it. */
export interface FoundRow {
  readonly alert_id: string;
  readonly detected_at: string;
  readonly rule_id: string;
  readonly message: string;
  /** From the commit of the last step to the alert. */
  readonly after_ms: number;
  readonly steps: readonly {
    readonly step: string;
    readonly at: string;
    readonly columns: Readonly<Record<string, unknown>>;
  }[];
}

/**
 * Those of the last seconds: transactions that write alerts end in another order than that of `detected_at`, so
 * whoever looks for new ones looks back a little.
 */
export const FOUND = `
  select alert_id, to_char(detected_at, 'HH24:MI:SS') as detected_at, rule_id, message,
         extract(epoch from detected_at - event_time)::float8 * 1000 as after_ms,
         (select jsonb_agg(jsonb_build_object('step', e -> 'step', 'columns', e -> 'columns',
                   'at', to_char((e ->> 'at')::timestamptz, 'HH24:MI:SS.MS')) order by n)
          from jsonb_array_elements(events) with ordinality as taken(e, n)) as steps
  from weir.alerts
  where kind = 'pattern' and mode = 'live' and detected_at > clock_timestamp() - interval '10 seconds'
  order by detected_at`;

/** The message, and a line for each step: when it was, how much, and who, from where. */
export function describeFound({ detected_at, rule_id, message, after_ms, steps }: FoundRow): string[] {
  const width = Math.max(...steps.map(({ step }) => step.length));
  const head = [
    styleText('dim', detected_at),
    styleText('magenta', 'found    '),
    styleText('bold', message),
    styleText('dim', `${rule_id}, ${Math.round(after_ms)} ms after its last step`),
  ];
  const lines = steps.map(({ step, at, columns }) =>
    [' '.repeat(8), styleText('dim', at), step.padEnd(width), amountOf(columns), detailsOf(columns)].join(
      '  ',
    ),
  );
  return [head.join('  '), ...lines.map((line) => line.trimEnd())];
}

function amountOf({ amount }: FoundRow['steps'][number]['columns']): string {
  return (amount === undefined ? '' : Number(amount).toFixed(2)).padStart(9);
}

function detailsOf({
  user_id,
  receiver_id,
  device_id,
  country,
}: FoundRow['steps'][number]['columns']): string {
  return [
    `user ${String(user_id)}`,
    ...(receiver_id === undefined || receiver_id === null ? [] : [`to ${String(receiver_id)}`]),
    ...(device_id === undefined ? [] : [`on ${String(device_id)}`]),
    ...(country === undefined ? [] : [`from ${String(country)}`]),
  ].join(' ');
}
