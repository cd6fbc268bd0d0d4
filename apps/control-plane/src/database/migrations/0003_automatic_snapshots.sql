alter table snapshots
  -- Taken before files were put back: its name is the server's, and does not make it stay.
  add column automatic boolean not null default false;
update snapshots set automatic = true where name like 'Before going back to %';
