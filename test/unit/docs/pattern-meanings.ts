/** What the keys of a pattern say. The test compares the names with those of the schema. */
export const PATTERN_MEANINGS: Readonly<Record<string, string>> = {
  id: 'Names it to metrics, cooldowns and alerts, across edits; no rule has the same',
  description: 'The message of its alerts where it has none',
  by: 'The key: a column, several, or a map by step. Without it every row goes through one lane, in one partition',
  input: 'Events whose rows enter, and so break strict contiguity; default: those of the steps',
  steps: 'The sequence: a list of maps of one name',
  within: 'Last less first event of a match is less than this; the same as `within` on the first step',
  let: 'Names for values of a match: `{ sum: STEP.column }`, also `avg`, `min`, `max`, `distinct`, `{ count: STEP }`, `{ changed: column }` (two events of the match differ in it), or CEL',
  when: 'Judged on a whole match, before `after_match`',
  unless: 'A match of which it is true is none',
  after_match:
    'Which other matches go when one is found: `no_skip`, `skip_to_next`, `skip_past_last` (default), `{ skip_to_first: STEP }`, `{ skip_to_last: STEP }`',
  emit: '`at_once` (default), or `in_order`: a match waits while an older partial match of its key lives',
  on_timeout:
    'Alerts of partial matches that ran out of time: `severity` (default: of the pattern), `actions` (default `[alert]`), `message`; `{}` is enough',
  score: 'Added once a match to the decision of its last row whose event has scoring',
  score_on: 'The step whose last row it is instead',
  severity: '`info`, `warning` (default), `high`, `critical`',
  actions: 'As for rules: `alert`, `flag`, `block`, `webhook:NAME`',
  block: 'Who and how long: columns of the key, or of the last row of the match that has them',
  cooldown: 'Silences actions; its `by` contains that of the pattern',
  message:
    '`{let}`, `{column of the key}`, and CEL over the steps, such as `{login.country}` or `{count(transfer)}`',
  mode: '`live` (default), `shadow`, `off`',
  tests: 'As beside rules, with `timeouts` in `expect`',
};

export const STEP_MEANINGS: Readonly<Record<string, string>> = {
  event: "A table's event, or a view of one",
  when: 'CEL over the row, the steps before, and what this step has taken so far',
  contiguity:
    'How it follows the step before: `strict`, the next row that enters; `relaxed` (default), the next that satisfies it; `any`, each later one',
  times: '`3`, `2..4`, `2+`; default once',
  optional: 'It may take nothing',
  greedy: 'Of a loop: it takes all that it can before the next step',
  loop: 'Contiguity inside `times`; default `relaxed`',
  gap: 'Between two events of a loop, less than',
  until: 'Ends a loop `n+`: the row that satisfies it is not taken',
  not: '`true`: an absence. `strict`: the next row is not it; `relaxed`: it does not come before the following step, or, as the last one, within `within`',
  within: 'Its first event less the one before it, less than; on the first step: of the whole match',
  steps: 'A group, with `times`, `optional`, `contiguity`, `loop` and `until` of its own, and no `event`',
  description: 'For people',
};
