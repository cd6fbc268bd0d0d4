import type { Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState, type SubmitEvent } from "react";
import { client } from "../live/client.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field, Input } from "../ui/input.tsx";

/** Gives a workspace another name; its page follows. */
export function RenameDialog({
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
