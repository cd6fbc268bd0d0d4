import type { Snapshot, Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Download, Ellipsis, GitFork, History, Pencil, Trash2 } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button, IconButton } from "../ui/button.tsx";
import { DropdownMenu, DropdownMenuItem, DropdownMenuLink, DropdownMenuSeparator } from "../ui/dropdown-menu.tsx";
import { Input } from "../ui/input.tsx";
import { tellWithUndo } from "../ui/undo-toast.tsx";
import { useFork } from "./fork.ts";
import { dayTime } from "./snapshot-words.ts";

/** One snapshot: its name, where it led, and what can be done with it. */
export function SnapshotHead({
  workspace,
  snapshot,
  title,
  onDelete,
}: {
  workspace: Workspace;
  snapshot: Snapshot;
  title: string;
  onDelete: () => void;
}) {
  const [renaming, setRenaming] = useState(false);
  const [restoring, setRestoring] = useState(false);
  const workspaces = useQuery(queries.workspaces());
  const fork = useFork(workspace);
  const forks = workspaces.data?.items.filter((other) => other.origin?.snapshot === snapshot.id) ?? [];
  return (
    <header className="snapshot-head">
      {renaming ? (
        <RenameForm workspace={workspace} snapshot={snapshot} onDone={() => setRenaming(false)} />
      ) : (
        <div className="snapshot-head__title">
          <h2 className="cut">{title}</h2>
          <p className="quiet">
            <time dateTime={snapshot.createdAt}>{dayTime(snapshot.createdAt)}</time>
            {forks.length > 0 && " · forked into "}
            {forks.map((other, index) => (
              <span key={other.id}>
                {index > 0 && ", "}
                <Link className="link" to="/workspaces/$name" params={{ name: other.name }}>
                  {other.name}
                </Link>
              </span>
            ))}
          </p>
        </div>
      )}
      <div className="btns">
        <Button size="sm" aria-expanded={restoring} onClick={() => setRestoring(!restoring)}>
          <History className="icon icon--s" /> Restore
        </Button>
        <Button size="sm" aria-busy={fork.isPending} onClick={() => fork.mutate(snapshot.id)}>
          <GitFork className="icon icon--s" /> Fork
        </Button>
        <DropdownMenu
          trigger={
            <IconButton label="More about this snapshot">
              <Ellipsis className="icon" />
            </IconButton>
          }
        >
          <DropdownMenuItem onSelect={() => setRenaming(true)}>
            <Pencil className="icon" /> Rename
          </DropdownMenuItem>
          <DropdownMenuLink href={client.workspaces.exportUrl(workspace.id, { snapshot: snapshot.id })} download>
            <Download className="icon" /> Download as archive
          </DropdownMenuLink>
          <DropdownMenuSeparator />
          <DropdownMenuItem danger onSelect={onDelete}>
            <Trash2 className="icon" /> Delete
          </DropdownMenuItem>
        </DropdownMenu>
      </div>
      {restoring && (
        <RestoreNote workspace={workspace} snapshot={snapshot} title={title} onDone={() => setRestoring(false)} />
      )}
      {fork.error && (
        <div className="w-full">
          <FailureAlert failure={failureOf(fork.error)} title="It was not forked" fresh />
        </div>
      )}
    </header>
  );
}

/** Says what going back means, and does it. */
function RestoreNote({
  workspace,
  snapshot,
  title,
  onDone,
}: {
  workspace: Workspace;
  snapshot: Snapshot;
  title: string;
  onDone: () => void;
}) {
  const queryClient = useQueryClient();
  const restore = useMutation({
    mutationFn: (id: string) => client.workspaces.restore(workspace.id, id),
    onSuccess: (done) => {
      onDone();
      tellWithUndo(`Files are back at ${title}`, () => restore.mutate(done.safety.id));
    },
    onSettled: () =>
      Promise.all(
        ["snapshots", "workspace", "workspaces", "folder", "file", "terminals"].map((key) =>
          queryClient.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  });
  return (
    <div className="approval w-full">
      <b className="strong">Put all files back to {dayTime(snapshot.createdAt)}?</b>
      <p className="soft">
        {workspace.box === "none" ? "" : "The workspace restarts: what runs in it ends. "}
        Files as they are now are kept as a snapshot first, so this can be undone. Conversations stay.
      </p>
      <div className="btns">
        <Button variant="default" size="sm" aria-busy={restore.isPending} onClick={() => restore.mutate(snapshot.id)}>
          {restore.isPending ? "Restoring" : "Restore"}
        </Button>
        <Button size="sm" variant="ghost" onClick={onDone}>
          Cancel
        </Button>
      </div>
      {restore.error && <FailureAlert failure={failureOf(restore.error)} title="Files stay as they are" fresh />}
    </div>
  );
}

function RenameForm({ workspace, snapshot, onDone }: { workspace: Workspace; snapshot: Snapshot; onDone: () => void }) {
  const queryClient = useQueryClient();
  const [name, setName] = useState(snapshot.name ?? "");
  const rename = useMutation({
    mutationFn: () => client.workspaces.renameSnapshot(workspace.id, snapshot.id, { name: name.trim() || null }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ["snapshots"] });
      onDone();
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    rename.mutate();
  };
  return (
    <form className="snapshot-head__title" onSubmit={submit}>
      <Input
        aria-label="Name of the snapshot"
        value={name}
        maxLength={80}
        autoFocus
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onDone();
        }}
        onBlur={() => (name.trim() === (snapshot.name ?? "") ? onDone() : rename.mutate())}
      />
      {rename.error && (
        <p className="is-failed" role="alert">
          {rename.error.message}
        </p>
      )}
    </form>
  );
}
