-- One statement, one round trip, one flush: the fact, the new state and its orders, or nothing.
-- $1 life, $2 key, $3 expected version, $4 fact kind, $5 fact, $6 state, $7 phase, $8 order kinds, $9 order bodies,
-- $10 order that this fact answers or null, $11 token
with answered as materialized (
    -- locked, so that two answers to one order are taken one after the other
    select finished_at is not null as finished from orders where id = $10 and life = $1 and key = $2 for update
),
allowed as materialized (
    select 1 where $10::bigint is null or exists (select from answered where not finished)
),
opened as (
    insert into lives (life, key, version, phase, state)
    select $1, $2, 1, $7, $6::json from allowed where $3::bigint = 0
    on conflict do nothing
    returning version
),
moved as (
    update lives set version = $3::bigint + 1, phase = $7, state = $6::json, changed_at = now()
    where life = $1 and key = $2 and version = $3::bigint and exists (select from allowed)
    returning version
),
written as (
    insert into facts (life, key, seq, kind, fact, token)
    select $1, $2, version, $4, $5::json, $11::bytea from (select version from opened union all select version from moved) as v
    returning seq
),
ordered as (
    insert into orders (life, key, seq, kind, body)
    select $1, $2, seq, kind, body::json
    from written, unnest($8::text[], $9::text[]) with ordinality as o (kind, body, place)
    order by place
    returning id
),
finished as (
    update orders set finished_at = now() where id = $10 and exists (select from written)
)
select
    (select finished from answered) as finished,
    exists (select from written) as committed,
    (select version from lives where life = $1 and key = $2) as stored,
    array(select id from ordered order by id) as ids
