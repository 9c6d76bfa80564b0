-- Facts, states and orders of every life; the outbox of signed extrinsics; small documents; the blob index.
-- JSON is kept as text (json, not jsonb): what was written is read back byte for byte.

create table lives (
    life text not null,
    key bytea not null,
    number bigint generated always as identity,
    version bigint not null check (version > 0),
    phase text not null,
    state json not null,
    changed_at timestamptz not null default now(),
    primary key (life, key)
);
create unique index lives_by_number on lives (life, number);
-- a phase that begins with '=' is terminal
create index lives_open on lives (life, number) where left(phase, 1) <> '=';

create table facts (
    life text not null,
    key bytea not null,
    seq bigint not null,
    kind text not null,
    fact json not null,
    token bytea not null,
    at timestamptz not null default now(),
    primary key (life, key, seq)
);

create table orders (
    id bigint generated always as identity primary key,
    life text not null,
    key bytea not null,
    seq bigint not null,
    kind text not null,
    body json not null,
    attempts integer not null default 0,
    why text not null default '',
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    note text not null default '',
    foreign key (life, key, seq) references facts
);
create index orders_pending on orders (id) where finished_at is null;
create index orders_by_fact on orders (life, key, seq);

create table outbox (
    hash bytea primary key,
    number bigint generated always as identity,
    ref bytea not null,
    account bytea not null,
    nonce bigint not null,
    raw bytea not null,
    era_end bigint not null,
    call text not null,
    intent json not null,
    signed_at timestamptz not null default now(),
    outcome text,
    resolved_at timestamptz
);
create unique index outbox_by_number on outbox (number);
create index outbox_unresolved on outbox (account, nonce, number) where outcome is null;

create sequence touches;
create table documents (
    kind text not null,
    key bytea not null,
    doc json not null,
    touched bigint not null default nextval('touches'),
    primary key (kind, key)
);
create index documents_newest on documents (kind, touched);

create table blobs (
    sha256 bytea primary key check (length(sha256) = 32),
    number bigint generated always as identity,
    size bigint not null check (size >= 0),
    kind text not null,
    added_at timestamptz not null default now()
);
create table blob_refs (
    sha256 bytea not null references blobs on delete cascade,
    ref bytea not null,
    primary key (sha256, ref)
);
create index blob_refs_by_ref on blob_refs (ref);
