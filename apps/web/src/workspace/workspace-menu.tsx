import type { Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Archive, Download, GitFork, Moon, Pencil, RotateCcw, Server, Sun, Trash2 } from "lucide-react";
import { useState, type ReactElement } from "react";
import { client } from "../live/client.ts";
import { AlertDialog, Dialog } from "../ui/dialog.tsx";
import { DropdownMenu, DropdownMenuItem, DropdownMenuLink, DropdownMenuSeparator } from "../ui/dropdown-menu.tsx";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { usePower } from "../computer/change.ts";
import { useFork } from "../snapshots/fork.ts";
import { RenameDialog } from "./rename-dialog.tsx";

/** What can be done to a workspace as a whole. */
export function WorkspaceMenu({
  workspace,
  trigger,
}: {
  workspace: Workspace;
  trigger: ReactElement<Record<string, unknown>>;
}) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const { name: open } = useParams({ strict: false });
  const [renaming, setRenaming] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const power = usePower(workspace);
  const fork = useFork(workspace);
  const remove = useMutation({
    mutationFn: async () => {
      await client.workspaces.delete(workspace.id);
      if (open === workspace.name) await navigate({ to: "/workspaces" });
    },
    onSettled: () =>
      Promise.all([["workspaces"], ["workspace"]].map((queryKey) => queryClient.invalidateQueries({ queryKey }))),
  });
  const failed = [power, fork, remove].find((action) => action.isError);
  return (
    <>
      <DropdownMenu trigger={trigger}>
        {workspace.box === "running" ? (
          <>
            <DropdownMenuItem onSelect={() => power.mutate("sleep")}>
              <Moon className="icon" /> Put to sleep
            </DropdownMenuItem>
            <DropdownMenuItem onSelect={() => power.mutate("restart")}>
              <RotateCcw className="icon" /> Restart
            </DropdownMenuItem>
          </>
        ) : (
          <DropdownMenuItem onSelect={() => power.mutate("wake")}>
            <Sun className="icon" /> Wake
          </DropdownMenuItem>
        )}
        <DropdownMenuItem
          onSelect={() =>
            void navigate({
              to: "/workspaces/$name",
              params: { name: workspace.name },
              search: { pane: "computer", part: "overview" },
            })
          }
        >
          <Server className="icon" /> Limits and sleep
        </DropdownMenuItem>
        <DropdownMenuSeparator />
        <DropdownMenuItem onSelect={() => fork.mutate(null)}>
          <GitFork className="icon" /> Fork
        </DropdownMenuItem>
        <DropdownMenuItem onSelect={() => setRenaming(true)}>
          <Pencil className="icon" /> Rename
        </DropdownMenuItem>
        {workspace.box === "running" && (
          <DropdownMenuLink href={client.files.archiveUrl(workspace.id, "user/projects")} download>
            <Download className="icon" /> Download all projects
          </DropdownMenuLink>
        )}
        <DropdownMenuLink href={client.workspaces.exportUrl(workspace.id)} download>
          <Archive className="icon" /> Export everything
        </DropdownMenuLink>
        <DropdownMenuSeparator />
        <DropdownMenuItem danger onSelect={() => setDeleting(true)}>
          <Trash2 className="icon" /> Delete
        </DropdownMenuItem>
      </DropdownMenu>
      <RenameDialog workspace={workspace} open={renaming} onOpenChange={setRenaming} />
      <AlertDialog
        open={deleting}
        onOpenChange={setDeleting}
        title={`Delete ${workspace.name}?`}
        action={`Delete ${workspace.name}`}
        onConfirm={() => remove.mutate()}
      >
        Its files, snapshots, terminals and conversations are gone for good. Whatever runs in it is stopped.
      </AlertDialog>
      <Dialog
        open={failed !== undefined}
        onOpenChange={() => failed?.reset()}
        title={`${workspace.name} did not do that`}
      >
        {failed && <FailureAlert failure={failureOf(failed.error)} fresh />}
      </Dialog>
    </>
  );
}
