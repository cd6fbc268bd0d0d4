alter table workspaces
  add column template text,
  -- What its root lies over, as it was when the workspace was made.
  add column template_root jsonb,
  add column origin_workspace text,
  add column origin_snapshot text,
  -- The snapshot that the files came from last: the parent of the next one.
  add column base_snapshot text,
  add column network jsonb not null default '{"mode": "open", "allow": []}',
  add column lifetime jsonb not null default '{}',
  -- The last moment at which work was seen in flight.
  add column active_at timestamptz not null default now(),
  -- How often in a row its box ended by itself, and when it may be started again.
  add column deaths integer not null default 0,
  add column restart_at timestamptz,
  add column wake_at timestamptz,
  drop constraint workspaces_box_check,
  add constraint workspaces_box_check check (box in ('none', 'starting', 'running', 'frozen', 'stopping', 'failed'));

alter table workspace_jobs
  drop constraint workspace_jobs_kind_check,
  add constraint workspace_jobs_kind_check check (kind in ('create', 'start', 'stop', 'freeze', 'thaw', 'change', 'delete', 'revert', 'restore'));

alter table snapshots
  -- The snapshot that the files came from: the tree of restores and forks.
  add column parent_id text,
  add column state text not null default 'ready' check (state in ('taking', 'ready', 'deleting'));

create table workspace_events (
  workspace_id text not null references workspaces on delete cascade,
  seq integer not null,
  at timestamptz(3) not null default now(),
  kind text not null,
  text text not null,
  data jsonb not null,
  primary key (workspace_id, seq)
);

-- Templates of people's own; those of the catalogue are in no table.
create table templates (
  owner_id text not null,
  name text not null,
  title text not null,
  description text not null,
  start text,
  ports jsonb not null,
  source text not null check (source in ('packages', 'tar', 'oci', 'image', 'dockerfile', 'devcontainer', 'nix')),
  root jsonb not null,
  lacks jsonb not null default '[]',
  created_at timestamptz not null default now(),
  primary key (owner_id, name)
);
