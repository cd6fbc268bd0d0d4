import type { Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState, type SubmitEvent } from "react";
import { client } from "../live/client.ts";
import { NameField } from "../new-workspace/name-field.tsx";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";

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
    mutationFn: (wanted: string) => client.workspaces.update(workspace.id, { name: wanted }),
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
    rename.mutate(name);
  };
  const failure = rename.error ? failureOf(rename.error) : null;
  const isTaken = failure?.code === "name_taken";
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={`Rename ${workspace.name}`}>
      <form className="grid gap-4" onSubmit={submit}>
        <NameField
          name={name}
          onChange={setName}
          required
          autoFocus
          refusal={isTaken && rename.variables === name ? failure.detail : null}
        />
        {failure && !isTaken && <FailureAlert failure={failure} fresh />}
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
