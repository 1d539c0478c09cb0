/** Two tables and a view; the lines of a pattern follow, the first of them the twelfth. */
export const HEAD = `version: 1
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
