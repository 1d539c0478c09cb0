import { describe, expect, test } from 'vitest';
import { compileRules } from '../../../src/rules/compile-rules.ts';
import { formatProblem } from '../../../src/rules/problem.ts';
import { EVENTS, mistakes } from './fixtures.ts';

/** A rule whose first line after `event:` is the eleventh. */
const rule = (lines: string) => `${EVENTS}rules:\n  - id: r\n    event: transaction\n${lines}`;
const BLOCK = 'write who and how long: block: { by: user_id, for: 24h }';
const FUNCTIONS =
  'it is one of count, sum, avg, stddev, min, max, percentile, distinct, first, last, previous, list, speed_kmh, first_seen';

const WHOLE = 'every window is made of whole steps of "every"';
const LONG = 'write how long a session is at the most: { session: 2d, within: 30d }';
const KINDS =
  'write over: 1h, { tumbling: 1h }, { hopping: 10m, every: 1m }, { session: 30m } or { rows: 10 }';

/** Lines of a rule, and what is told of them. */
const OF_RULES: readonly (readonly [about: string, lines: string, told: readonly string[]])[] = [
  [
    'an unknown key and an unknown column, at once',
    '    scor: 10\n    when: amuont > 1\n',
    [
      '11:5: error: unknown key "scor" (did you mean score?)',
      '12:11: error: unknown name "amuont" (did you mean amount?)',
    ],
  ],
  [
    'values that a key does not take',
    '    score: -3\n    severity: hi\n    actions: [alrt]\n    mode: on\n    when: amount > "x"\n',
    [
      '11:12: error: a score is above 0, and this is -3',
      '12:15: error: "hi" is not one of info, warning, high, critical (did you mean high?)',
      '13:15: error: unknown action "alrt": an action is alert, flag, block or webhook:NAME (did you mean alert?)',
      '14:11: error: "on" is not one of live, shadow, off (did you mean off?)',
      '15:11: error: amount > "x": double cannot be compared with string (a number has no quotes)',
    ],
  ],
  [
    'a key that is here twice',
    '    when: at_home\n    when: at_home\n',
    ['12:5: error: this key is here twice'],
  ],
  [
    'a tab',
    '    when: at_home\n\tscore: 1\n',
    ['12:1: error: YAML: a line is indented with spaces, and this one has a tab'],
  ],
  [
    'a rule id that is here twice',
    '    when: at_home\n  - id: r\n    event: transaction\n',
    ['12:9: error: rule "r" is also at r.yaml:9:9'],
  ],
  [
    'every mistake in windows, each once, and none of what hangs on it',
    `    let:
      a: { count: transactoin, by: user_id, over: 1m }
      b: { sum: country, by: user_id, over: 1m }
      c: { by: user_id, over: 1m }
      d: { sum: amount, avg: amount, by: usr_id, over: 1m }
      e: { sum: amount, by: usr_id, over: 1 minute }
      f: { max: country, by: user_id, over: 0s }
      amount: { count: transaction, by: user_id, over: 1m }
      g: a + 1
    when: a > 1 && g > 2
    unless: amuont > 1
`,
    [
      '12:19: error: there is no event "transactoin" (did you mean transaction?)',
      '13:17: error: sum needs a number, and country is text (string)',
      `14:7: error: window "c" has no function (${FUNCTIONS})`,
      '15:25: error: window "d" has two functions, sum and avg (make two windows)',
      '15:42: error: table "public.transactions" has no column "usr_id" (did you mean user_id?)',
      '16:29: error: table "public.transactions" has no column "usr_id" (did you mean user_id?)',
      '16:43: error: a duration is written 250ms, 30s, 5m, 1h or 7d',
      '17:17: error: max needs a number or a timestamp, and country is text (string)',
      '17:45: error: this duration must be above 0',
      '18:7: error: "amount" is a column of "public.transactions" too: a name means one thing (give the let another name)',
      '21:13: error: unknown name "amuont" (did you mean amount?)',
    ],
  ],
  [
    'columns that a function cannot take',
    `    let:
      a: { stddev: country, by: user_id, over: 1m }
      b: { percentile: [country, 95], by: user_id, over: 1m }
      c: { percentile: [amount, 101], by: user_id, over: 1m }
      d: { percentile: amount, by: user_id, over: 1m }
      e: { speed_kmh: [amount, country], by: user_id, over: 1m }
      f: { speed_kmh: [amount], by: user_id, over: 1m }
      g: { first_seen: login.city, by: user_id, over: 1m }
      h: { speed_kmh: [amount, amuont], by: user_id, over: 1m }
      i: { count: transaction, last: country, by: user_id, over: { rows: 3 } }
`,
    [
      '12:20: error: stddev needs a number, and country is text (string)',
      '13:25: error: percentile needs a number, and country is text (string)',
      '14:33: error: a percentile is a number from 0 to 100',
      '15:24: error: a percentile is of a column and a number: [amount, 95]',
      '16:32: error: speed_kmh needs degrees as numbers, and country is text (string)',
      '17:23: error: a speed is of two columns, in degrees: [latitude, longitude]',
      '18:24: error: there is no event "login" (did you mean transaction?)',
      '19:32: error: table "public.transactions" has no column "amuont" (did you mean amount?)',
      '20:32: error: window "i" has two functions, count and last (make two windows)',
    ],
  ],
  [
    'the ways to say which rows',
    `    let:
      a: { count: transaction, by: user_id, over: { tumbling: 0s } }
      b: { count: transaction, by: user_id, over: { hopping: 10m } }
      c: { count: transaction, by: user_id, over: { hopping: 10m, every: 1h } }
      d: { count: transaction, by: user_id, over: { hopping: 10m, every: 3m } }
      e: { count: transaction, by: user_id, over: { session: 2d } }
      f: { count: transaction, by: user_id, over: { session: 1h, within: 1h } }
      g: { count: transaction, by: user_id, over: { rows: 0 } }
      h: { count: transaction, by: user_id, over: { rows: 2.5 } }
      i: { count: transaction, by: user_id, over: { rows: 10001 } }
      j: { count: transaction, by: user_id, over: { rows: 3, session: 1m } }
      k: { count: transaction, by: user_id, over: { tumbling: 1m, within: 1h } }
      l: { count: transaction, by: user_id, over: { within: 1h } }
      m: { count: transaction, by: user_id, over: { tumblin: 1h } }
      n: { count: transaction, by: user_id, over: 10 }
      o: { count: transaction, by: user_id, over: { rows: 3, within: 1x } }
    when: a > 1
`,
    [
      '12:63: error: this duration must be above 0',
      '13:51: error: "every" is missing (how often a window begins: every: 1m)',
      `14:74: error: windows of 10m every 1h would leave rows out between them (${WHOLE})`,
      `15:74: error: 10m is not a whole number of times 3m (${WHOLE})`,
      `16:62: error: the gap of a session, 2d, is not below 1d, the most that a session holds unless "within" says more (${LONG})`,
      `17:74: error: the gap of a session, 1h, is not below its "within", 1h (${LONG})`,
      '18:59: error: a window of rows holds one at least',
      '19:59: error: expected a whole number of rows',
      '20:59: error: a window holds 10000 rows at the most: use a time',
      `21:53: error: "rows" does not go with session (${KINDS})`,
      `22:67: error: "within" does not go with tumbling (${KINDS})`,
      `23:51: error: "over" does not say which rows (${KINDS})`,
      '24:53: error: unknown key "tumblin" (did you mean tumbling?)',
      '25:51: error: expected a duration (1h), or { tumbling: 1h }, { hopping: 10m, every: 1m }, { session: 30m }, { rows: 10 }',
      '26:70: error: a duration is written 250ms, 30s, 5m, 1h or 7d',
    ],
  ],
  [
    'actions',
    '    actions: [block, alert, alert]\n',
    [`11:15: error: the action block needs "block" (${BLOCK})`, '11:29: error: action "alert" is here twice'],
  ],
  [
    'who is blocked',
    '    block: { by: userid, for: 1m }\n    cooldown: { by: [user_id, user_id], for: 1m }\n',
    [
      '11:5: warning: "block" does nothing without the action block (write actions: [block])',
      '11:18: error: table "public.transactions" has no column "userid" (did you mean user_id?)',
      '12:31: error: column "user_id" is here twice',
    ],
  ],
  [
    'names in a message',
    '    message: "a {amuont} b {c"\n',
    [
      '11:18: error: "{amuont}" is neither a column of transaction nor a let of this rule (did you mean amount?)',
      '11:28: error: "{" in a message stands alone (write {{)',
    ],
  ],
  [
    'a condition that is none, and a list that is not there',
    '    when: amount + 1\n    unless: country in lists.trustd\n',
    [
      '11:11: error: this is a double, and must be a bool (a condition is true or false: compare it, as in x > 1)',
      '12:30: error: unknown list "trustd"',
    ],
  ],
  [
    'an old row where there is none',
    '    when: old.amount > 1\n',
    ['11:11: error: old: rows of this event have no old row (give the event ops: [update] or [delete])'],
  ],
  [
    'tests',
    `    tests:
      - name: x
        events: [{ amuont: 5 }, { at: soon }, { op: update }]
        expect: { hits: { rr: 1 }, at: { 0: { hits: 1 } } }
        lists: { some: [1] }
`,
    [
      '13:20: error: table "public.transactions" has no column "amuont" (did you mean amount?)',
      '13:39: error: "soon" is not a time (write an offset (20s) or a timestamp (2026-01-01T00:00:00Z))',
      '13:53: error: event "transaction" captures insert only',
      '14:27: error: there is no rule "rr" (did you mean r?)',
      '14:42: error: rows are named by their numbers, from 1',
      '15:18: error: there is no list "some"',
    ],
  ],
];

describe('mistakes in a rule', () => {
  test.each(OF_RULES)('%s', (_, lines, told) => {
    expect(mistakes(rule(lines))).toEqual(told);
  });
});

/** Whole files. */
const OF_FILES: readonly (readonly [about: string, text: string, told: readonly string[]])[] = [
  ['no map', '', ['1:1: error: a rule file is a map that begins with "version: 1"']],
  ['a list', '- a\n', ['1:1: error: a rule file is a map that begins with "version: 1"']],
  [
    'another version',
    'version: 2\nevents: { a: { table: t, columns: { id: int8 } } }\n',
    ['1:10: error: this version reads version: 1, not 2'],
  ],
  [
    'nothing captured',
    'version: 1\n',
    [
      '1:1: error: these rules capture no table: there are no events (write events: { transaction: { table: public.transactions } })',
    ],
  ],
  [
    'two documents',
    'version: 1\n---\nversion: 1\n',
    ['2:1: error: a rule file is one YAML document: "---" begins a second one'],
  ],
  [
    'sections of later versions, and of none',
    `${EVENTS}rankings: []\nanomalies: []\nruls: []\nx-mine: 1\n`,
    [
      '8:1: error: this version does not have rankings yet',
      '9:1: error: this version does not have anomalies yet',
      '10:1: error: unknown key "ruls" (did you mean rules?)',
    ],
  ],
  [
    'events',
    `version: 1
events:
  a: { table: public.x }
  b: { from: c }
  c: { from: b }
  d: { from: aa }
  e: { when: x }
  f: { table: y, columns: { id: int8 }, when: id > 1 }
  g: { table: y, columns: { id: int8 } }
  h: { from: f, lateness: 5s, when: id > "a" }
  i: { table: z, columns: { id: int8, w: timestampz, v: { type: text, pii: hash } }, time: tme, id: [w, q] }
  j: { table: weir.alerts }
`,
    [
      '3:3: error: event "a" does not say its columns, and no database is at hand to ask (write columns: { id: int8, … } with the type of every column that rules use, or set DATABASE_URL, which replay and --offline do not read)',
      '5:14: error: views go in a circle: b from c from b',
      '6:14: error: there is no event "aa" (did you mean a?)',
      '7:3: error: event "e" needs "table", or "from"',
      '8:41: error: event "f" is every row of its table: "when" is for views (make a view of it: f_view: { from: f, when: … })',
      '9:15: error: table "public.y" has an event already, "f": a second name for its rows is a view (write from: f)',
      '10:17: error: "lateness" belongs to the table\'s event: a view takes it from there',
      '10:37: error: id > "a": double cannot be compared with string (a number has no quotes)',
      '11:42: warning: type "timestampz" is not one of PostgreSQL\'s: its values are text here (did you mean timestamp?)',
      '11:71: warning: this version does not hash columns yet: alerts show v as it is',
      '11:86: warning: without "lateness", a row whose time is behind the latest one seen is late (write how far rows may lag, as in lateness: 5s; or leave "time" out)',
      '11:105: error: table "public.z" has no column "q" (did you mean w?)',
      '12:15: error: table "weir.alerts" is Weir\'s own: capturing it would feed Weir its own writes',
    ],
  ],
  [
    'what is no event, no rule and no list, each once',
    `version: 1
events:
  a:
  b c: { table: x, columns: { id: int8 } }
  d: { table: 5 }
  e: { table: t, columns: [a, b] }
  f: { table: u, columns: { id: 5 } }
  g: { table: v, columns: {} }
rules:
  - hello
  - { id: a b, event: g }
  - { id: c, event: d, when: x > 1, let: { my-let: { count: d, by: x, over: 1m } } }
lists:
  x: { values: 3 }
`,
    [
      '3:5: error: expected a map, found nothing',
      '4:3: error: "b c" is not a name (a name has letters, digits and "_", and begins with a letter)',
      '5:15: error: a table is named by text, as in public.orders',
      '6:27: error: expected a map of columns and their types',
      '7:33: error: expected a PostgreSQL type, or { type: …, pii: mask | hash | drop }',
      '8:3: error: event "g" does not say its columns, and no database is at hand to ask (write columns: { id: int8, … } with the type of every column that rules use, or set DATABASE_URL, which replay and --offline do not read)',
      '10:5: error: expected a map, found "hello"',
      '11:11: error: an id has letters, digits, "_", "-" and ".", and begins with a letter',
      '12:44: error: a name has letters, digits and "_", and begins with a letter',
      '14:16: error: expected a list, found 3',
    ],
  ],
  [
    'scoring',
    `version: 1
events:
  t: { table: t, columns: { id: int8 } }
  v: { from: t }
  u: { table: u, columns: { k: int8 } }
scoring:
  v: { bands: { flag: 1 } }
  x: { bands: { flag: 1 } }
  u: { bands: { flag: 1 } }
  t: { bands: { a: 1, b: 1 }, actions: { c: [flag], a: [block] } }
`,
    [
      '7:3: error: "v" is a view of t: a row has one decision, that of its table\'s event (write scoring: { t: … })',
      '8:3: error: there is no event "x" (did you mean t?)',
      '9:3: error: event "u" is scored, and its primary key is not known (write id: in event "u": the column that a decision is about)',
      '10:26: error: bands a and b have the same bound, 1',
      '10:42: error: there is no band "c" (did you mean a?)',
      '10:46: error: flag is an action of rules: a band does alert, block or webhook:NAME',
      `10:57: error: the action block needs "block" (${BLOCK})`,
    ],
  ],
  [
    'flags that raise nothing',
    'version: 1\nevents:\n  t: { table: t, columns: { id: int8 } }\nrules:\n  - { id: a, event: t, actions: [flag] }\n',
    [
      '5:34: warning: flag does nothing here: event "t" has no scoring (write scoring: { t: { bands: { flag: 50 } } })',
    ],
  ],
  [
    'an event that is missing in a rule',
    `${EVENTS}rules:\n  - id: r\n    when: at_home\n  - id: s\n    event: transactions\n`,
    [
      '9:5: error: "event" is missing',
      '12:12: error: there is no event "transactions" (did you mean transaction?)',
    ],
  ],
];

describe('mistakes in a file', () => {
  test.each(OF_FILES)('%s', (_, text, told) => {
    expect(mistakes(text)).toEqual(told);
  });

  test('are told with those of all other files, each with its path', () => {
    const files = [
      {
        name: 'b.yaml',
        path: 'my/b.yaml',
        text: 'version: 1\nrules:\n  - { id: r, event: t, when: x > 1 }\n',
      },
      {
        name: 'a.yaml',
        path: 'my/a.yaml',
        text: 'version: 1\nevents:\n  t: { table: t, columns: { id: int8 } }\nrules: [{ id: r, event: t, scor: 1 }]\n',
      },
    ];
    expect(compileRules(files, null).problems.map(formatProblem)).toEqual([
      'my/a.yaml:4:28: error: unknown key "scor" (did you mean score?)',
      'my/b.yaml:3:11: error: rule "r" is also at my/a.yaml:4:15',
    ]);
  });

  test('that is not YAML hide no others, and blame no names that it may hold', () => {
    const files = [
      { name: 'a.yaml', text: 'version: 1\nevents:\n  t: { table: t, columns: { id: int8 }\n' },
      { name: 'b.yaml', text: 'version: 1\nrules:\n  - { id: r, event: t, scor: 1 }\n' },
    ];
    const told = compileRules(files, null).problems.map(formatProblem);
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/^a\.yaml:4:1: error: YAML: /);
    expect(told[1]).toBe('b.yaml:3:24: error: unknown key "scor" (did you mean score?)');
  });

  test('are none in JSON, which is YAML', () => {
    const json = {
      version: 1,
      events: { t: { table: 't', columns: { id: 'int8' } } },
      rules: [{ id: 'r', event: 't', when: 'id > 1' }],
    };
    expect(mistakes(JSON.stringify(json))).toEqual([]);
    expect(
      mistakes(JSON.stringify({ ...json, rules: [{ id: 'r', event: 't', when: '"a" == idd' }] })),
    ).toEqual([expect.stringMatching(/^1:\d+: error: unknown name "idd" \(did you mean id\?\)$/)]);
  });
});

/** [the lines of the rule, where, why, the line as it must be written, other mistakes] */
const TRAPS: readonly (readonly [
  lines: string,
  place: string,
  why: string,
  quoted: string,
  also?: readonly string[],
])[] = [
  [
    '    when: !is_null(country)\n',
    '11:11',
    'YAML takes a "!" at the start for a tag',
    "when: '!is_null(country)'",
  ],
  [
    '    message: {amount} of it\n',
    '11:14',
    'YAML takes a "{" at the start for a map',
    "message: '{amount} of it'",
  ],
  [
    `    unless: 'a' == type && amuont > 1\n`,
    '11:13',
    'YAML ends a text that begins with a quote at the next quote',
    `unless: '''a'' == type && amuont > 1'`,
    ['11:28: error: unknown name "amuont" (did you mean amount?)'],
  ],
  [
    '    when: "login" == type\n',
    '11:11',
    'YAML ends a text that begins with a quote at the next quote',
    `when: '"login" == type'`,
  ],
  [
    '    when: ["a", "b"].exists(x, x == type)\n',
    '11:11',
    'YAML takes a "[" at the start for a list',
    `when: '["a", "b"].exists(x, x == type)'`,
  ],
  [
    '    when: type == "a #b" && amuont > 1\n',
    '11:11',
    'YAML takes " #" for the start of a comment',
    `when: 'type == "a #b" && amuont > 1'`,
    ['11:29: error: unknown name "amuont" (did you mean amount?)'],
  ],
  [
    '    when: amount > 1 ? at_home : false\n',
    '11:11',
    'YAML takes ": " for a key and its value',
    "when: 'amount > 1 ? at_home : false'",
  ],
  [
    '    let: { n: { count: transaction, by: user_id, over: 1m, when: type in ["a", "b"] } }\n    when: n > 1\n',
    '11:66',
    'inside {…} YAML takes the "[" for its own',
    `when: 'type in ["a", "b"]'`,
  ],
  [
    '    let:\n      n: { count: transaction, by: user_id, when: like(type, "a%"), over: 1m }\n    when: n > 1\n',
    '12:51',
    'inside {…} YAML takes the "," for its own',
    `when: 'like(type, "a%")'`,
  ],
  [
    '    let:\n      n: !at_home\n    when: n\n',
    '12:10',
    'YAML takes a "!" at the start for a tag',
    "n: '!at_home'",
  ],
  [
    '    let: { n: { count: transaction, by: user_id,\n      when: type in ["a"], over: 1m } }\n    when: hour(at, "UTC") > 1\n',
    '12:13',
    'inside {…} YAML takes the "[" for its own',
    `when: 'type in ["a"]'`,
  ],
];

describe('a text that must be quoted', () => {
  for (const [lines, place, why, quoted, also = []] of TRAPS) {
    test(lines.trim(), () => {
      const trap = `${place}: error: this text must be quoted: ${why} (write: ${quoted})`;
      expect(mistakes(rule(lines))).toEqual([trap, ...also]);
    });
  }

  test.each([
    '    when: amount > 1 # it is much\n',
    '    when: "type == \\"a: b #\\""\n',
    `    when: 'amount > 1' # quoted\n`,
    '    when: |\n      at_home ? true : false\n',
    '    description: |\n      when: !this is text\n    when: at_home\n',
    '    # when: !at_home\n    when: at_home\n',
    '    let:\n      n:\n        count: transaction\n        by: [user_id, device_id]\n        over: 1m\n    when: n > 1\n',
    '    let: { n: { count: transaction, by: user_id,\n      when: amount > 1, over: 1m } }\n    when: n > 1 && hour(at, "UTC") > 1\n',
    '    message: "in {…}, when: [a]"\n'.replace('{…}', '{{x}}'),
    '    x-note: { a: "b, when: [c]" }\n    when: at_home\n',
    "    when: 'type == ''a'' &&\n      at_home'\n",
    '    let: { n: { count: transaction, by: user_id, over: 1m, when: type == "a" && amount > 1 } }\n',
  ])('is not seen where there is none: %s', (lines) => {
    expect(mistakes(rule(lines))).toEqual([]);
  });
});

/** The same mistake in every form that YAML has for a text. */
const FORMS: readonly (readonly [form: string, lines: string, place: string])[] = [
  ['plain', '    when: type == "a" && amuont > 1\n', '11:26'],
  ['plain on two lines', '    when: type == "a"\n      && amuont > 1\n', '12:10'],
  ['double quotes', '    when: "type == \\"a\\" && amuont > 1"\n', '11:29'],
  ['double quotes and escapes', '    when: "type == \\"\\u00e4\\x41\\" && \\\n      amuont > 1"\n', '12:7'],
  ['single quotes', `    when: 'type == ''a'' && amuont > 1'\n`, '11:29'],
  ['folded', '    when: >\n      type == "a"\n      && amuont > 1\n', '13:10'],
  ['literal', '    when: |-\n      type == "a"\n\n        && amuont > 1\n', '14:12'],
  ['an anchor', '    x-c: &c amuont > 1\n    when: *c\n', '11:13'],
];

describe('the place of a mistake in a condition', () => {
  test.each(FORMS)('%s', (_, lines, place) => {
    expect(mistakes(rule(lines))).toEqual([`${place}: error: unknown name "amuont" (did you mean amount?)`]);
  });
});
