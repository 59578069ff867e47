// The tables that both planes have: outbox, consumer progress and jobs. Frozen with the migrations that use it: a change is a
// new migration, never an edit here.

/** DDL of the three tables in `plane`. */
export function queueTables(plane: 'control' | 'imaging'): string {
  return `
create table ${plane}.outbox (
  -- The relay reads below the oldest running transaction, in this order: sequence order is not commit order.
  xid     xid8 not null default pg_current_xact_id(),
  id      bigint generated always as identity,
  topic   text not null,
  bucket  smallint not null,
  key     text not null,
  -- the envelope, JSON text
  value   text not null,
  primary key (xid, id)
);
-- Rows live for milliseconds and go in ranges of the key; the little that is left is vacuumed early.
alter table ${plane}.outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_threshold = -1);

create table ${plane}.consumer_progress (
  consumer       text not null,
  topic          text not null,
  partition      integer not null,
  -- first offset whose effect is not yet in this plane
  next_offset    bigint not null,
  updated_at     timestamptz not null default now(),
  primary key (consumer, topic, partition)
);

create table ${plane}.job (
  id                uuid primary key default gen_random_uuid(),
  queue             text not null,
  dedupe_key        text,
  -- the larger the earlier
  priority          smallint not null default 0,
  state             text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  run_at            timestamptz not null default now(),
  payload           jsonb not null default '{}',
  -- where the next attempt goes on
  cursor            jsonb,
  progress          jsonb,
  attempts          integer not null default 0,
  max_attempts      integer not null default 10,
  -- set when the same key was enqueued while it ran: it runs once more
  run_again         boolean not null default false,
  cancel_requested  boolean not null default false,
  lease_owner       uuid,
  lease_until       timestamptz,
  error_code        text,
  error             text,
  created_at        timestamptz not null default now(),
  finished_at       timestamptz
) with (fillfactor = 80);
-- one active job per key
create unique index job_active_key on ${plane}.job (queue, dedupe_key) where state in ('queued', 'running');
-- the next job of a queue
create index job_next on ${plane}.job (queue, priority desc, run_at) where state = 'queued';
-- expired leases
create index job_leased on ${plane}.job (queue, lease_until) where state = 'running';
-- purging what is finished
create index job_finished on ${plane}.job (finished_at) where state in ('done', 'failed', 'cancelled');
`;
}
