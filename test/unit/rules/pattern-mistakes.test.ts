import { describe, expect, test } from 'vitest';
import { mistakes } from './fixtures.ts';
import { HEAD } from './pattern-head.ts';

/** Lines of a pattern, and what is told of them. */
const PATTERNS: readonly (readonly [about: string, lines: string, told: readonly string[]])[] = [
  [
    'names that are used twice',
    `    steps:
      - amount: { event: t }
      - at: { event: t }
      - c: { event: t }
      - c: { event: t }
      - g: { steps: [ { c: { event: t } } ] }
      - g2: { steps: [ { d: { event: t } } ] }
    let:
      d: { sum: c.amount }
      country: { sum: c.amount }
      row: count(c)
    when: d > 1 && country > 1
`,
    [
      '13:9: error: "amount" is a column of "public.t" too: a name means one thing (give the step another name)',
      '14:9: error: "at" has a meaning of its own in conditions (give the step another name)',
      '16:9: error: step "c" is also at r.yaml:15:9: a name means one thing (give it another name)',
      '17:25: error: step "c" is also at r.yaml:15:9: a name means one thing (give it another name)',
      '20:7: error: "d" is a step too: a name means one thing (give the let another name)',
      '21:7: error: "country" is a column of "public.t" too: a name means one thing (give the let another name)',
      '22:7: error: "row" has a meaning of its own in conditions (give the let another name)',
    ],
  ],
  [
    'a score without an event that has scoring',
    `    steps:
      - a: { event: u }
    score: 10
    actions: [flag]
`,
    [
      '14:12: error: no step is over an event that has scoring: there is no decision to add this score to (write scoring: { u: { bands: { flag: 50, block: 100 } } })',
      '15:15: warning: flag does nothing here: event "u" has no scoring (write scoring: { u: { bands: { flag: 50 } } })',
    ],
  ],
  [
    'a score on a step whose event has no scoring',
    `    steps:
      - a: { event: u }
      - b: { event: t }
      - n: { event: t, not: true, when: amount > 1 }
      - c: { event: t }
    score: 10
    score_on: a
`,
    [
      '15:9: warning: what step "b" takes can satisfy the absence "n" right after it (give it a condition that the step does not meet)',
      '15:9: warning: what step "c" takes can satisfy the absence "n" right before it (give it a condition that the step does not meet)',
      '18:15: error: step "a" is over u, and event "u" has no scoring (write scoring: { u: { bands: { flag: 50, block: 100 } } })',
    ],
  ],
  [
    'a score on a step that is not there',
    `    steps:
      - a: { event: u }
      - b: { event: t }
    score_on: bb
`,
    [
      '15:5: warning: "score_on" does nothing without "score" (write score: 50)',
      '15:15: error: there is no step "bb" (did you mean b?)',
    ],
  ],
  [
    'every mistake in conditions, lets and messages, at once',
    `    steps:
      - a: { event: t, times: 1+ }
      - n: { event: t, not: true, when: amount > 1 }
      - b: { event: u, when: a.country == what && a.first.contry == what && a.first == what && a && total > 1 && n.first.country == what && sum(a) > 1 && sum(a.country) > 1 && count(a.amount) > 1 && cnt(a) > 1 && count(zz) > 1 && sum(amount) > 2 && g.first.amount > 1 }
      - g: { steps: [ { d: { event: t } } ] }
    let:
      total: { sum: a.amount }
      x: { sum: amount }
      y: { sum: aa.amount }
      z: { sum: a.amnt }
      w: { avg: a.country }
      v: { changed: contry }
      q: { sum: a.amount, avg: a.amount }
      s: { smu: a.amount }
      r: {}
      h: country
      k: total + totl
      o: { count: n }
    when: amount > 1 && at > a.first.at && user_id > 1
    message: "{amount} {user_id} {b.what} {a.first.amount} {a.last.amnt} {total} {totall} {old.x} {"
`,
    [
      '14:9: warning: what step "a" takes can satisfy the absence "n" right after it (give it a condition that the step does not meet)',
      '15:32: error: a may take several events (a.first.country or a.last.country)',
      '15:59: error: unknown column "contry" of step a (did you mean country?)',
      '15:79: error: an event is not a value: name a column of it (a.first.id)',
      '15:96: error: a is a step: name a column of what it took (a.first.id, or count(a))',
      '15:101: error: "total" is a let of the pattern: it is of whole matches (use sum(a.amount))',
      '15:114: error: step "n" is an absence: it takes nothing',
      '15:141: error: sum() takes a column of a step (as in sum(a.column))',
      '15:155: error: sum needs a number, and country is text (string)',
      '15:177: error: count() takes a step (as in count(a))',
      '15:200: error: unknown function cnt() (did you mean int()?)',
      '15:204: error: a is a step: name a column of what it took (a.first.id, or count(a))',
      '15:220: error: there is no step "zz" (did you mean a?)',
      '15:235: error: there is no step "amount" (did you mean a?)',
      '15:250: error: "g" is a group, and not a step (name one of its steps, as in d)',
      '19:17: error: sum takes a column of a step, and "amount" names no step (write sum: a.amount)',
      '20:17: error: there is no step "aa" (did you mean a?)',
      '21:19: error: unknown column "amnt" of step a (did you mean amount?)',
      '22:17: error: avg needs a number, and country is text (string)',
      '23:21: error: no step has a column "contry" (did you mean country?)',
      '24:27: error: "q" has two functions, sum and avg (make two lets)',
      '25:12: error: unknown key "smu" (did you mean sum?)',
      '26:7: error: "r" has no function (it is one of sum, avg, min, max, distinct, count, changed)',
      '27:10: error: "country" is a column, and a match has several events (name the step, as in a.last.country)',
      '28:18: error: unknown name "totl" (did you mean total?)',
      '29:19: error: step "n" is an absence: it takes nothing',
      '30:11: error: "amount" is a column, and a match has several events (name the step, as in a.last.amount)',
      '30:25: error: "at" is of one event, and a match has several (name the step, as in a.last.at)',
      '30:44: error: "user_id" is a column, and a match has several events (name the step, as in a.last.user_id)',
      '31:16: error: "amount" is a column, and a match has several events (name the step, as in a.last.amount)',
      '31:25: error: "user_id" is a column, and a match has several events (name the step, as in a.last.user_id)',
      '31:68: error: unknown column "amnt" of step a (did you mean amount?)',
      '31:83: error: unknown name "totall" (did you mean total?)',
      '31:99: error: "{" in a message stands alone (write {{)',
    ],
  ],
  [
    'a by that is no column',
    `    by: usr_id
    steps:
      - a: { event: t }
      - b: { event: u }
`,
    [
      '12:9: error: table "public.t" has no column "usr_id" (did you mean user_id?)',
      '12:9: error: table "public.u" has no column "usr_id" (did you mean uid?)',
    ],
  ],
  [
    'a by that leaves steps out',
    `    by: { a: user_id, bb: uid }
    steps:
      - a: { event: t }
      - b: { event: u }
      - c: { event: t }
`,
    [
      '12:9: error: "by" does not say the columns of step "b" (write by: { …, b: COLUMN })',
      '12:9: error: "by" does not say the columns of step "c" (write by: { …, c: COLUMN })',
      '12:23: error: "by" names "bb", which is no step (did you mean b?)',
    ],
  ],
  [
    'a by of unequal numbers of columns',
    `    by: { a: [user_id, country], b: uid }
    steps:
      - a: { event: t }
      - b: { event: u }
    cooldown: { by: country, for: 1h }
    block: { by: usr, for: 1h }
`,
    [
      '12:9: error: "by" pairs 2 columns of "a" with 1 of "b"',
      '17:5: warning: "block" does nothing without the action block (write actions: [block])',
      '17:18: error: no step has a column "usr" (did you mean uid?)',
    ],
  ],
  [
    'a cooldown that does not contain the by',
    `    by: [user_id, sender_id]
    steps:
      - a: { event: t }
    cooldown: { by: user_id, for: 1h }
    actions: [block, alert, alert]
`,
    [
      '15:21: error: the cooldown is by user_id, and the pattern by sender_id, user_id: it must contain it (write by: [sender_id, user_id])',
      '16:15: error: the action block needs "block" (write who and how long: block: { by: user_id, for: 24h })',
      '16:29: error: action "alert" is here twice',
    ],
  ],
  [
    'an input that is not there',
    `    by: user_id
    input: [t, u, zz]
    steps:
      - a: { event: t }
`,
    [
      '12:9: error: table "public.u" has no column "user_id" (did you mean uid?)',
      '13:19: error: there is no event "zz" (did you mean t?)',
    ],
  ],
  [
    'an input that leaves a step out',
    `    input: [u]
    steps:
      - a: { event: t }
      - b: { event: u }
`,
    ['14:21: error: step "a" is over t, which "input" (u) leaves out (write input: [u, t])'],
  ],
  [
    'what runs out of time',
    `    steps:
      - a: { event: t, when: amount > 1, within: 5m, contiguity: strict }
    on_timeout: { severty: high, message: "{a.first.amnt}" }
    when: a.amount
    mode: onn
`,
    [
      '13:54: warning: "contiguity" does nothing on the first step: it says how a step follows the one before',
      '14:19: error: unknown key "severty" (did you mean severity?)',
      '14:53: error: unknown column "amnt" of step a (did you mean amount?)',
      '15:11: error: this is a double, and must be a bool (a condition is true or false: compare it, as in x > 1)',
      '16:11: error: "onn" is not one of live, shadow, off (did you mean off?)',
    ],
  ],
  [
    'an event that is not there',
    `    by: user_id
    steps:
      - a: { event: tt }
      - b: { event: t, when: a.amount > 1 && amnt > 1 }
    let: { x: { sum: a.amount } }
    after_match: { skip_to_first: a }
`,
    ['14:21: error: there is no event "tt" (did you mean t?)'],
  ],
  [
    'the id of a rule',
    `    steps:
      - a: { event: t }
rules:
  - id: p
    event: t
`,
    ['11:9: error: rule "p" is also at r.yaml:15:9'],
  ],
  [
    'tests over several events',
    `    steps:
      - a: { event: t }
      - b: { event: u }
    tests:
      - name: x
        events: [{ id: 1 }, { event: t, amnt: 1 }]
        expect: { hits: 1, timeouts: { q: 1 } }
`,
    [
      '17:18: error: this row does not say its event (write event: NAME in the row or in the test)',
      '17:41: error: table "public.t" has no column "amnt" (did you mean amount?)',
      '18:40: error: there is no pattern "q" (did you mean p?)',
    ],
  ],
  [
    'timeouts of a rule',
    `    steps:
      - a: { event: t }
rules:
  - id: r
    event: t
    tests:
      - name: x
        events: [{ id: 1 }]
        expect: { hits: 1, timeouts: 1 }
`,
    ['20:28: error: a rule has no timeouts: they are of patterns'],
  ],
  [
    'fields of what is no step',
    `    steps:
      - a: { event: t, when: amount.foo > 1 }
      - b: { event: t, when: 'a["country"] == "x" && a.first["id"] > 1 && a.at < at && min(a.amount) > 1 && min(a.amount, amount) > 0 && distinct(a.country) > 1 && max() > 1 && sum(a.amount, 2) > 1' }
`,
    [
      '13:37: error: .foo: only row, old, lists and steps have fields',
      '14:165: error: max() takes other arguments than 0 (max(double, double): double; max(double, double, double): double; max(double, double, double, double): double; …)',
      '14:178: error: sum() takes a column of a step (as in sum(a.column))',
    ],
  ],
  [
    'a look at a step that has taken nothing',
    `    steps:
      - a: { event: t, when: b.first.amount > 1 && sum(a.amount) > 1 }
      - b: { event: t }
`,
    [
      '13:30: warning: step "b" has taken nothing before step "a": its events are unknown, and it counts 0 (look at the steps before)',
    ],
  ],
  [
    'timeouts that are not told',
    `    steps:
      - a: { event: t, within: 5m }
      - b: { event: t }
    tests: [{ name: x, events: [{ id: 1 }], expect: { timeouts: 1 } }]
`,
    ['15:55: error: pattern "p" has no on_timeout: what runs out of time is not told (write on_timeout: {})'],
  ],
  [
    'the row in what is about a whole match',
    `    steps:
      - a: { event: t, times: 1+ }
    when: row.amount > 1 && old["amount"] > 1 && row > 1
`,
    [
      '14:11: error: row: a match has several rows (name the step, as in a.last.amount)',
      '14:29: error: old: a match has several rows (name the step, as in a.last.amount)',
      '14:50: error: row is not a value: name one of its columns (row.column)',
    ],
  ],
];

describe('mistakes in a pattern', () => {
  test.each(PATTERNS)('%s', (_, lines, told) => {
    expect(mistakes(`${HEAD}${lines}`)).toEqual(told);
  });
});
