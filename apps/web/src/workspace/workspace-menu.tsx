import type { Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Download, Moon, Pencil, Sun, Trash2 } from "lucide-react";
import { useState, type ReactElement, type SubmitEvent } from "react";
import { client } from "../live/client.ts";
import { Button } from "../ui/button.tsx";
import { AlertDialog, Dialog } from "../ui/dialog.tsx";
import { DropdownMenu, DropdownMenuItem, DropdownMenuLink, DropdownMenuSeparator } from "../ui/dropdown-menu.tsx";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Field, Input } from "../ui/input.tsx";

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
  const refresh = () =>
    Promise.all([["workspaces"], ["workspace"]].map((queryKey) => queryClient.invalidateQueries({ queryKey })));
  const act = useMutation({
    mutationFn: async (action: "start" | "stop" | "delete") => {
      if (action === "start") await client.workspaces.start(workspace.id);
      if (action === "stop") await client.workspaces.stop(workspace.id);
      if (action === "delete") {
        await client.workspaces.delete(workspace.id);
        if (open === workspace.name) await navigate({ to: "/workspaces" });
      }
    },
    onSettled: refresh,
  });
  return (
    <>
      <DropdownMenu trigger={trigger}>
        {workspace.box === "running" ? (
          <DropdownMenuItem onSelect={() => act.mutate("stop")}>
            <Moon className="icon" /> Put to sleep
          </DropdownMenuItem>
        ) : (
          <DropdownMenuItem onSelect={() => act.mutate("start")}>
            <Sun className="icon" /> Wake
          </DropdownMenuItem>
        )}
        <DropdownMenuItem onSelect={() => setRenaming(true)}>
          <Pencil className="icon" /> Rename
        </DropdownMenuItem>
        {workspace.box === "running" && (
          <DropdownMenuLink href={client.files.archiveUrl(workspace.id, "user/projects")} download>
            <Download className="icon" /> Download all projects
          </DropdownMenuLink>
        )}
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
        onConfirm={() => act.mutate("delete")}
      >
        Its files, terminals and conversations are gone for good. Whatever runs in it is stopped.
      </AlertDialog>
      <Dialog open={act.isError} onOpenChange={() => act.reset()} title={`${workspace.name} did not do that`}>
        {act.error && <FailureAlert failure={failureOf(act.error)} fresh />}
      </Dialog>
    </>
  );
}

function RenameDialog({
  workspace,
  open,
  onOpenChange,
}: {
  workspace: Workspace;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const { name: shown } = useParams({ strict: false });
  const [name, setName] = useState(workspace.name);
  const rename = useMutation({
    mutationFn: () => client.workspaces.update(workspace.id, { name }),
    onSuccess: async (renamed) => {
      onOpenChange(false);
      if (shown === workspace.name)
        await navigate({
          to: "/workspaces/$name",
          params: { name: renamed.name },
          search: (old) => old,
          replace: true,
        });
      await Promise.all(
        [["workspaces"], ["workspace"], ["runs"]].map((queryKey) => queryClient.invalidateQueries({ queryKey })),
      );
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    rename.mutate();
  };
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={`Rename ${workspace.name}`}>
      <form className="grid gap-4" onSubmit={submit}>
        <Field label="Name" id="workspace-name" note="Lower-case letters, digits and hyphens">
          <Input
            id="workspace-name"
            value={name}
            maxLength={40}
            pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
            required
            autoFocus
            spellCheck={false}
            onChange={(event) => setName(event.target.value.toLowerCase().replace(/\s+/g, "-"))}
          />
        </Field>
        {rename.error && <FailureAlert failure={failureOf(rename.error)} fresh />}
        <div className="btns justify-end">
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button variant="default" type="submit" aria-busy={rename.isPending}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
