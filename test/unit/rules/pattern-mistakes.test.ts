import { describe, expect, test } from 'vitest';
import { mistakes } from './fixtures.ts';

/** The lines of a pattern follow: the first is the twelfth. */
const HEAD = `version: 1
events:
  t:
    table: public.t
    columns: { id: int8, user_id: int8, sender_id: int8, amount: numeric, country: text, kind: text }
  u: { table: public.u, columns: { id: int8, uid: int8, what: text } }
  big: { from: t, when: amount > 1000 }
scoring:
  t: { bands: { flag: 50 } }
patterns:
  - id: p
`;

const OF_PATTERNS: readonly (readonly [about: string, lines: string, told: readonly string[]])[] = [
  [
    'a loop on an absence',
    `    steps:
      - a: { event: t }
      - b: { event: t, not: true, times: 2, when: amount > 1 }
      - c: { event: t, when: amount > 2 }
`,
    [
      '14:9: warning: what step "a" takes can satisfy the absence "b" right after it (give it a condition that the step does not meet)',
      '14:35: error: "times" on step "b": an absence takes nothing (leave it out)',
    ],
  ],
  [
    'a quantifier below one, and others that are none',
    `    steps:
      - a: { event: t, times: 0 }
      - b: { event: t, times: 0..3 }
      - c: { event: t, times: 0+ }
      - d: { event: t, times: 4..2 }
      - e: { event: t, times: two }
      - f: { event: t, times: 1.5 }
      - g: { event: t, times: [1, 2] }
`,
    [
      '13:31: error: times counts from 1, and this is 0: optional: true allows none',
      '14:31: error: times counts from 1, and this is 0..3 (optional: true allows none)',
      '15:31: error: times counts from 1, and this is 0+ (optional: true allows none)',
      '16:31: error: this range ends before it begins (write 2..4)',
      '17:31: error: times is a number (3), a range (2..4), or a number and more (1+)',
      '18:31: error: times is a number (3), a range (2..4), or a number and more (1+)',
      '19:31: error: times is a number (3), a range (2..4), or a number and more (1+)',
    ],
  ],
  [
    'a skip to a group',
    `    steps:
      - a: { event: t }
      - g: { steps: [{ b: { event: t } }] }
      - no: { event: t, not: true, when: amount > 1 }
      - c: { event: t, when: amount > 2 }
    after_match: { skip_to_last: g }
`,
    [
      '15:9: warning: what step "b" takes can satisfy the absence "no" right after it (give it a condition that the step does not meet)',
      '17:34: error: "g" is a group, and not a step (did you mean a?)',
    ],
  ],
  [
    'a skip to an absence',
    `    steps:
      - a: { event: t }
      - no: { event: t, not: true, when: amount > 1 }
      - c: { event: t, when: amount > 2 }
    after_match: { skip_to_first: no }
`,
    [
      '14:9: warning: what step "a" takes can satisfy the absence "no" right after it (give it a condition that the step does not meet)',
      '16:35: error: step "no" is an absence: it takes nothing (did you mean a?)',
    ],
  ],
  [
    'a skip to two steps',
    `    steps:
      - a: { event: t }
    after_match: { skip_to_first: a, skip_to_last: a }
`,
    ['14:18: error: after_match names one step (write { skip_to_first: STEP })'],
  ],
  [
    'a strategy that is not one',
    `    steps:
      - a: { event: t }
    after_match: skip_past_lst
`,
    [
      '14:18: error: "skip_past_lst" is not one of no_skip, skip_to_next, skip_past_last (did you mean skip_past_last?)',
    ],
  ],
  [
    'a skip that is not one',
    `    steps:
      - a: { event: t }
    after_match: { skip_to_frst: a }
`,
    ['14:20: error: unknown key "skip_to_frst" (did you mean skip_to_first?)'],
  ],
  [
    'a skip to nothing',
    `    steps:
      - a: { event: t }
    after_match: {}
`,
    ['14:18: error: after_match names one step (write { skip_to_first: STEP })'],
  ],
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
    'an absence first, right after an optional step, with a within of its own; a round that could be empty',
    `    steps:
      - a: { event: t, not: true }
      - b: { event: t, optional: true }
      - c: { event: t, not: true, contiguity: any, within: 5m }
      - g: { times: 2, steps: [ { d: { event: t, optional: true } }, { e: { event: t, not: true, when: amount > 4 } } ] }
      - f: { event: t }
`,
    [
      '13:9: warning: what step "b" takes can satisfy the absence "a" right before it (give it a condition that the step does not meet)',
      '13:24: error: step "a" is an absence, and cannot be first: it is judged after an event (put a step before it)',
      '15:9: warning: what step "b" takes can satisfy the absence "c" right after it (give it a condition that the step does not meet)',
      '15:9: warning: what step "d" takes can satisfy the absence "c" right before it (give it a condition that the step does not meet)',
      '15:24: error: step "c" is an absence right after "b", which is optional (write two patterns, one with it and one without)',
      '15:47: error: step "c" is an absence: its contiguity is strict or relaxed',
      '15:52: error: "within" on step "c": an absence that is not the last lasts until the step after it (write it on the step after it)',
      '16:14: error: group "g" is repeated, and all of its steps can be skipped: a round could be empty (let one of its steps be taken)',
      '16:72: warning: what step "d" takes can satisfy the absence "e" right after it (give it a condition that the step does not meet)',
      '16:87: error: step "e" is an absence right after "d", which is optional (write two patterns, one with it and one without)',
    ],
  ],
  [
    'steps that are none',
    `    steps:
      - g: { event: t, when: amount > 1, greedy: true, within: 5m, times: 2, steps: [ { d: { event: t } } ] }
      - h: { steps: [] }
      - i: { steps: 3 }
      - j: {}
      - k: t
      - l: { event: t, m: 1 }
      - { n: { event: t }, o: { event: t } }
      - just
`,
    [
      '14:21: error: this list of steps is empty',
      '15:21: error: expected a list of steps: begin each with a dash',
      '17:12: error: expected a map, found "t"',
      '18:24: error: unknown key "m" (did you mean gap?)',
      '20:9: error: a step is a map of its name: - login: { event: login }',
    ],
  ],
  [
    'a within that is longer than that of the whole',
    `    within: 5m
    steps:
      - a: { event: t, within: 4m }
      - b: { event: t, within: 6m, times: 2+, gap: 7m }
      - c: { event: t, not: true, when: kind == "x" }
`,
    [
      '14:32: error: "within" of the first step is that of the whole, and r.yaml:12:13 says 5m (write one of them)',
      '15:32: error: "within" of step "b" is longer than that of the whole, 5m',
      '15:52: error: "gap" of step "b" is longer than that of the whole, 5m',
      '16:9: warning: what step "b" takes can satisfy the absence "c" right after it (give it a condition that the step does not meet)',
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
    'overlapping absences, and partial matches that never end',
    `    steps:
      - a: { event: t, when: amount > 1 }
      - n: { event: t, not: true, when: amount > 1 }
      - b: { event: t, contiguity: any }
      - m: { event: big, not: true }
      - c: { event: t, loop: any, times: 2 , greedy: true, contiguity: relaxed}
    after_match: no_skip
    on_timeout: { actions: [flag, block] }
`,
    [
      '14:9: warning: what step "a" takes can satisfy the absence "n" right after it (give it a condition that the step does not meet)',
      '14:9: warning: what step "b" takes can satisfy the absence "n" right before it (give it a condition that the step does not meet)',
      '15:36: warning: "b" takes any later event, nothing is skipped after a match, and there is no "within": partial matches never end (write within: 10m)',
      '16:9: warning: what step "b" takes can satisfy the absence "m" right after it (give it a condition that the step does not meet)',
      '16:9: warning: what step "c" takes can satisfy the absence "m" right before it (give it a condition that the step does not meet)',
      '19:5: warning: without "within" nothing runs out of time (write within: 5m)',
      '19:29: error: flag is for matches: what ran out of time has no decision',
      '19:35: error: the action block needs "block" (write who and how long: block: { by: user_id, for: 24h })',
    ],
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
    'until and other loop keys on what is no loop',
    `    steps:
      - a: { event: t, times: 2..3, until: amount > 1 }
      - b: { event: t, until: amount > 1 }
      - c: { event: t, greedy: true, gap: 5s, loop: any }
      - d: { event: t, times: 2+, until: amnt > 1 }
      - g: { times: 2+, until: amount > 1, steps: [{ e: { event: t } }, { f: { event: u } }] }
`,
    [
      '13:37: error: "until" ends a loop without an upper bound, and "a" takes 2..3 (write times: 2+)',
      '14:24: error: "until" is for loops, and "b" takes one event (write times: 1+)',
      '15:24: error: "greedy" is for loops, and "c" takes one event (write times: 1+)',
      '15:38: error: "gap" is for loops, and "c" takes one event (write times: 1+)',
      '15:47: error: "loop" is for loops, and "c" takes one event (write times: 1+)',
      '16:42: error: unknown name "amnt" (did you mean amount?)',
      '17:25: error: "until" of group "g" looks at rows of one table, and its steps are over t and u (write it on one of its steps)',
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
    'an optional step right after a greedy one',
    `    steps:
      - a: { event: t, times: 1+, greedy: true }
      - b: { event: t, optional: true }
      - c: { event: t }
`,
    [
      '14:24: error: "b" is optional, right after "a", which is greedy (write two patterns, one with it and one without)',
    ],
  ],
  [
    'an empty list of steps',
    `    steps:
      - a: { event: t }
  - id: p
    steps: []
  - steps: [{ a: { event: t }}]
`,
    ['15:12: error: this list of steps is empty', '16:5: error: "id" is missing'],
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
    'an absence at the end of a group, without within',
    `    steps:
      - a: { event: t }
      - g: { times: 2, steps: [ { d: { event: t } }, { e: { event: t, not: true, when: amount > 4 } } ] }
`,
    [
      '14:56: warning: what step "d" takes can satisfy the absence "e" right after it (give it a condition that the step does not meet)',
      '14:71: warning: step "e" is the last, and an absence: without "within" nothing says when it has not come (write how long it may not come, as in within: 5m)',
    ],
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
    'a relaxed absence at the end without within',
    `    steps:
      - a: { event: t }
      - b: { event: t, not: true, when: amount > 1 }
      - c: { event: u, not: true, contiguity: strict }
`,
    [
      '14:9: warning: what step "a" takes can satisfy the absence "b" right after it (give it a condition that the step does not meet)',
      '14:24: error: step "b" is the last, and an absence: without "within" nothing says when it has not come (write how long it may not come, as in within: 5m)',
    ],
  ],
  [
    'a skip to a step that is not there',
    `    steps:
      - first_step: { event: t }
    after_match: { skip_to_first: frst_step }
`,
    ['14:35: error: there is no step "frst_step" (did you mean first_step?)'],
  ],
  [
    'more than 32 steps',
    `    steps:\n${Array.from({ length: 33 }, (_, i) => `      - s${i}: { event: t }\n`).join('')}`,
    ['45:9: error: a pattern has 32 steps at the most, and this has 33 (write two patterns)'],
  ],
  [
    'any and no_skip with a within',
    `    steps:
      - a: { event: t }
      - b: { event: t, contiguity: any, within: 5m }
    within: 10m
    after_match: no_skip
`,
    [],
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
];

describe('mistakes in a pattern', () => {
  test.each(OF_PATTERNS)('%s', (_, lines, told) => {
    expect(mistakes(`${HEAD}${lines}`)).toEqual(told);
  });
});
