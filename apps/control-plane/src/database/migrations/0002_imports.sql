alter table workspaces
  -- The replica that unpacks an archive into it: the workspace is deleted when that is gone before it is done.
  add column imported_by text;
