-- Times of creation have milliseconds and no more: cursors of lists carry them, and JavaScript keeps no finer ones.
create table workspaces (
  id text primary key,
  owner_id text not null,
  name text not null,
  state text not null check (state in ('creating', 'ready', 'hibernated', 'deleting', 'failed')),
  box text not null default 'none' check (box in ('none', 'starting', 'running', 'stopping', 'failed')),
  epoch integer not null default 0,
  why text not null,
  error jsonb,
  runtime text not null,
  rootfs text,
  limits jsonb not null default '{}',
  created_at timestamptz(3) not null default now(),
  started_at timestamptz,
  start_ms integer,
  unique (owner_id, name)
);

create table workspace_jobs (
  id bigint generated always as identity primary key,
  workspace_id text not null references workspaces on delete cascade,
  kind text not null check (kind in ('create', 'start', 'stop', 'delete', 'revert')),
  replica_id text not null,
  created_at timestamptz(3) not null default now(),
  deadline_at timestamptz not null,
  ended_at timestamptz,
  error jsonb
);
create unique index workspace_jobs_one_incomplete on workspace_jobs (workspace_id) where ended_at is null;

create table snapshots (
  id text primary key,
  workspace_id text not null references workspaces on delete cascade,
  name text,
  run_id text,
  created_at timestamptz(3) not null default now()
);
create index snapshots_workspace on snapshots (workspace_id, created_at desc);

create table sessions (
  id text primary key,
  workspace_id text not null references workspaces on delete cascade,
  owner_id text not null,
  agent text not null,
  title text not null,
  created_at timestamptz(3) not null default now()
);
create index sessions_workspace on sessions (workspace_id, created_at desc);

create table runs (
  id text primary key,
  session_id text not null references sessions on delete cascade,
  workspace_id text not null references workspaces on delete cascade,
  owner_id text not null,
  agent text not null,
  model text,
  mode text not null check (mode in ('process', 'ask', 'plan')),
  prompt text not null,
  directory text,
  title text not null,
  state text not null check (state in ('queued', 'preparing', 'running', 'waiting', 'succeeded', 'failed', 'cancelled', 'interrupted')),
  error jsonb,
  text text not null default '',
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  cache_read_tokens bigint not null default 0,
  cache_write_tokens bigint not null default 0,
  requests integer not null default 0,
  cost_usd double precision,
  idempotency_key text,
  request_hash text,
  trace_id text not null,
  -- Grows each time a worker takes the run; a write that carries an older lease is refused.
  lease integer not null default 0,
  last_seq integer not null default 0,
  -- How many durable outputs of the folded journal are part of run_events.
  folded integer not null default 0,
  token_hash text,
  snapshot_before text,
  snapshot_after text,
  undo text not null default 'none' check (undo in ('none', 'possible', 'done')),
  cancel_requested_at timestamptz,
  created_at timestamptz(3) not null default now(),
  started_at timestamptz,
  ended_at timestamptz
);
create unique index runs_idempotency on runs (owner_id, idempotency_key) where idempotency_key is not null;
create unique index runs_token on runs (token_hash) where token_hash is not null;
create index runs_owner on runs (owner_id, created_at desc);
create index runs_session on runs (session_id, created_at);
create index runs_workspace on runs (workspace_id, created_at desc);

create table run_events (
  run_id text not null references runs on delete cascade,
  seq integer not null,
  at timestamptz not null default now(),
  kind text not null,
  data jsonb not null,
  raw jsonb,
  primary key (run_id, seq)
);

create table run_files (
  run_id text not null references runs on delete cascade,
  path text not null,
  change text not null,
  kind text not null,
  size bigint,
  deliverable boolean not null,
  primary key (run_id, path)
);

create table approvals (
  id text primary key,
  run_id text not null references runs on delete cascade,
  workspace_id text not null references workspaces on delete cascade,
  owner_id text not null,
  permission_id text not null,
  title text not null,
  subject text,
  options jsonb not null,
  state text not null default 'open' check (state in ('open', 'answered', 'expired')),
  answer text,
  created_at timestamptz(3) not null default now(),
  ended_at timestamptz,
  unique (run_id, permission_id)
);
create index approvals_open on approvals (owner_id) where state = 'open';

create table providers (
  owner_id text not null,
  name text not null,
  kind text not null check (kind in ('anthropic', 'openai', 'compatible')),
  base_url text not null,
  key_sealed text not null,
  key_ending text not null,
  source text not null check (source in ('settings', 'environment')),
  state text not null default 'unchecked' check (state in ('unchecked', 'works', 'refused', 'unreachable')),
  error jsonb,
  checked_at timestamptz,
  models jsonb not null default '[]',
  updated_at timestamptz not null default now(),
  primary key (owner_id, name)
);

create table replicas (
  id text primary key,
  lock_key bigint not null unique,
  started_at timestamptz not null default now()
);

-- What changed, for pages that wait. Ordered by (xid, id): a row is shown once every older transaction has ended.
create table notices (
  id bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  owner_id text not null,
  resource text not null,
  resource_id text not null,
  workspace_id text,
  at timestamptz not null default now()
);
create index notices_order on notices (owner_id, xid, id);
