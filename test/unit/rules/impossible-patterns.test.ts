import { describe, expect, test } from 'vitest';
import { mistakes } from './fixtures.ts';
import { HEAD } from './pattern-head.ts';

/** Lines of a pattern, and what is told of them. */
const PATTERNS: readonly (readonly [about: string, lines: string, told: readonly string[]])[] = [
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
];

describe('a sequence that is impossible or doubtful', () => {
  test.each(PATTERNS)('%s', (_, lines, told) => {
    expect(mistakes(`${HEAD}${lines}`)).toEqual(told);
  });
});
