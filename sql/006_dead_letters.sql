-- A dead letter can be judged again: what that needs, and what came of it.

alter table weir.dead_letters
  add column change jsonb,
  add column replayed_at timestamptz,
  add column outcome text;

comment on column weir.dead_letters.change is 'The row change with all of its digits, for a replay; NULL: nothing to replay (an output that PostgreSQL refused).';
comment on column weir.dead_letters.replayed_at is 'When the rule had judged it again, by weir dead-letters replay; NULL: it has not.';
comment on column weir.dead_letters.outcome is 'What came of that: hit, silenced (a hit within a cooldown), no hit, forgotten (no hit, but windows had lost rows), or failed again.';
comment on column weir.dead_letters.resolved_at is 'Set by a replay, or by an operator once it has been seen to.';
