create table installation (
  -- One row at most.
  only_one boolean primary key default true check (only_one),
  -- Of the data directory that has the files of these workspaces: derived from its master key.
  mark text not null
);
