import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { FolderInput } from "lucide-react";
import { useRef } from "react";
import { formatBytes } from "../format/format.ts";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";

/** Makes a workspace out of an archive, exported or of projects, and opens it. */
export function useImport() {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (archive: File) => client.workspaces.import(archive),
    onSuccess: async (workspace) => {
      queryClient.setQueryData(queries.workspace(workspace.name).queryKey, workspace);
      void queryClient.invalidateQueries({ queryKey: ["workspaces"] });
      await navigate({ to: "/workspaces/$name", params: { name: workspace.name } });
    },
  });
}

export function ImportButton({ importing }: { importing: ReturnType<typeof useImport> }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".tar,.tgz,.gz,application/x-tar,application/gzip"
        aria-label="Archive to import"
        hidden
        onChange={(event) => {
          const [archive] = event.target.files ?? [];
          event.target.value = "";
          if (archive) importing.mutate(archive);
        }}
      />
      <Button aria-busy={importing.isPending} onClick={() => input.current?.click()}>
        <FolderInput className="icon" /> Import
      </Button>
    </>
  );
}

/** How far an import is, and why it ended early. */
export function ImportNote({ importing }: { importing: ReturnType<typeof useImport> }) {
  if (importing.isPending)
    return (
      <div className="banner" role="status">
        <FolderInput className="icon" />
        <span className="grow">
          Importing {importing.variables.name}, <span className="num">{formatBytes(importing.variables.size)}</span>
        </span>
      </div>
    );
  if (!importing.error) return null;
  return <FailureAlert failure={failureOf(importing.error)} title="Nothing was imported" fresh />;
}
