-- What guards stand on. A guard (weir guard install) is a BEFORE INSERT trigger of the host's table, whose function and
-- counters are in this schema. Conditions of rules are CEL: where PostgreSQL computes in another way, these compute as
-- CEL does, and never raise, so that no insert fails by accident.

alter table weir.blocks add column scored_by text;
comment on column weir.blocks.scored_by is 'Of a band: the rules whose scores had added up to it; NULL: a rule or pattern blocks by itself.';

create function weir.cel_double(value numeric) returns float8 language plpgsql immutable strict as $$
begin
  return value::float8;
exception when numeric_value_out_of_range then
  return case when abs(value) < 1 then 0 when value > 0 then 'Infinity'::float8 else '-Infinity'::float8 end;
end $$;
comment on function weir.cel_double(numeric) is 'The nearest double; beyond the range of doubles infinite, or 0.';

create function weir.cel_zero(negative boolean) returns float8 language sql immutable strict as $$
  select case when negative then '-0'::float8 else '0'::float8 end $$;
comment on function weir.cel_zero(boolean) is 'Zero with its sign, which decides what 1 / 0 is.';

create function weir.cel_negative(value float8) returns boolean language sql immutable strict as $$
  select value < 0 or value = 0 and value::text like '-%' $$;
comment on function weir.cel_negative(float8) is 'Whether the sign of a double is minus, of zero too.';

create function weir.cel_infinite(negative boolean) returns float8 language sql immutable strict as $$
  select case when negative then '-Infinity'::float8 else 'Infinity'::float8 end $$;
comment on function weir.cel_infinite(boolean) is 'Infinity with its sign.';

create function weir.cel_add(a float8, b float8) returns float8 language plpgsql immutable strict as $$
begin
  return a + b;
exception when numeric_value_out_of_range then
  return weir.cel_infinite(a < 0);
end $$;
comment on function weir.cel_add(float8, float8) is 'a + b; infinite where the sum is beyond the range of doubles.';

create function weir.cel_multiply(a float8, b float8) returns float8 language plpgsql immutable strict as $$
begin
  return a * b;
exception when numeric_value_out_of_range then
  return case when ln(abs(a)) + ln(abs(b)) > 0 then weir.cel_infinite((a < 0) <> (b < 0))
    else weir.cel_zero((a < 0) <> (b < 0)) end;
end $$;
comment on function weir.cel_multiply(float8, float8) is 'a * b; infinite or 0 beyond the range of doubles.';

create function weir.cel_divide(a float8, b float8) returns float8 language plpgsql immutable strict as $$
begin
  return a / b;
exception
  when division_by_zero then
    return case when a = 0 or a = 'NaN'::float8 then 'NaN'::float8
      else weir.cel_infinite((a < 0) <> weir.cel_negative(b)) end;
  when numeric_value_out_of_range then
    return case when ln(abs(a)) - ln(abs(b)) > 0 then weir.cel_infinite((a < 0) <> (b < 0))
      else weir.cel_zero((a < 0) <> (b < 0)) end;
end $$;
comment on function weir.cel_divide(float8, float8) is 'a / b; by 0 infinite, 0 / 0 is NaN, as in CEL.';

create function weir.cel_round(value float8) returns float8 language plpgsql immutable strict as $$
declare
  whole float8 := trunc(abs(value));
begin
  if abs(value) < 1e15 and abs(value) - whole >= 0.5 then
    whole := whole + 1;
  end if;
  return case when weir.cel_negative(value) then - whole else whole end;
end $$;
comment on function weir.cel_round(float8) is 'To a whole number; halves go away from zero, and not to the even one.';

create function weir.cel_min(variadic items float8[]) returns float8 language plpgsql immutable as $$
declare
  smallest float8 := items[1];
  item float8;
begin
  if array_position(items, null) is not null then
    return null;
  end if;
  foreach item in array items loop
    if item = 'NaN'::float8 then
      return item;
    elsif item < smallest or item = 0 and smallest = 0 and weir.cel_negative(item) then
      smallest := item;
    end if;
  end loop;
  return smallest;
end $$;
comment on function weir.cel_min(float8[]) is 'The least; NULL where one is, else NaN where one is.';

create function weir.cel_max(variadic items float8[]) returns float8 language plpgsql immutable as $$
declare
  most float8 := items[1];
  item float8;
begin
  if array_position(items, null) is not null then
    return null;
  end if;
  foreach item in array items loop
    if item > most or item = 0 and most = 0 and not weir.cel_negative(item) then
      most := item;
    end if;
  end loop;
  return most;
end $$;
comment on function weir.cel_max(float8[]) is 'The greatest; NULL where one is, else NaN where one is.';

create function weir.cel_distance_km(lat1 float8, lon1 float8, lat2 float8, lon2 float8) returns float8
language plpgsql immutable strict as $$
declare
  radians constant float8 := pi() / 180;
  by_latitude float8;
  by_longitude float8;
  h float8;
begin
  by_latitude := sin((lat2 - lat1) * radians / 2);
  by_longitude := sin((lon2 - lon1) * radians / 2);
  h := weir.cel_multiply(by_latitude, by_latitude)
    + cos(lat1 * radians) * cos(lat2 * radians) * weir.cel_multiply(by_longitude, by_longitude);
  return 2 * 6371.0088::float8 * asin(least(1::float8, sqrt(h)));
exception when numeric_value_out_of_range then
  return 'NaN'::float8;
end $$;
comment on function weir.cel_distance_km(float8, float8, float8, float8) is 'Kilometres between two places in degrees, by haversine.';

create function weir.cel_in_cidr(address inet, net inet) returns boolean language sql immutable strict as $$
  select (case when host(address) like '::ffff:%.%' then substr(host(address), 8) else host(address) end)::inet <<= net $$;
comment on function weir.cel_in_cidr(inet, inet) is 'Whether an address, without its /bits, is in a network; ::ffff:10.0.0.1 is 10.0.0.1.';

create function weir.block_key(key text) returns text language plpgsql immutable strict set search_path = pg_catalog, pg_temp as $$
declare
  units integer := 0;
  taken integer := 0;
begin
  if octet_length(convert_to(key, 'UTF8')) <= 512 then
    return key;
  end if;
  loop
    units := units + case when ascii(substr(key, taken + 1, 1)) > 65535 then 2 else 1 end;
    exit when units > 64;
    taken := taken + 1;
  end loop;
  return left(key, taken) || '#' || encode(sha256(convert_to(key, 'UTF8')), 'hex');
end $$;
comment on function weir.block_key(text) is 'The value of a key as weir.blocks has it: one of more than 512 bytes is 64 UTF-16 units of it and its SHA-256.';

create view weir.guard_refusals as
  select format('%I.%I', n.nspname, c.relname) as guarded, substr(t.tgname, 15) as processor_id,
    case when s.relname = p.proname || '_blocks' then 'block' else 'rule' end as refused_by,
    case when s.relname = p.proname || '_blocks' then null else obj_description(s.oid, 'pg_class') end as rule_id,
    coalesce(pg_sequence_last_value(s.oid), 0) as refusals
  from pg_trigger t
    join pg_proc p on p.oid = t.tgfoid
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_class s on s.relnamespace = p.pronamespace and s.relkind = 'S' and starts_with(s.relname, p.proname || '_')
  where p.pronamespace = 'weir'::regnamespace and t.tgparentid = 0 and starts_with(t.tgname, 'zz_weir_guard_');
comment on view weir.guard_refusals is 'How many rows each guard has refused, for each guard rule and for blocks. Counted by sequences, since a failed insert takes back what it wrote.';
