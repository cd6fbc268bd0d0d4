import { useMutation } from "@tanstack/react-query";
import { useId, useState, type SubmitEvent } from "react";
import { baseName, folderName, shortPath } from "../format/format.ts";
import { client } from "../live/client.ts";
import { Button } from "../ui/button.tsx";
import { Input } from "../ui/input.tsx";

export type Naming = { what: "file" | "folder"; folder: string } | { what: "rename"; path: string };

/** Names a new file or folder, or an old one anew; right in the tree. */
export function NameForm({
  workspace,
  naming,
  onDone,
}: {
  workspace: string;
  naming: Naming;
  onDone: (path: string | null) => void;
}) {
  const id = useId();
  const folder = naming.what === "rename" ? folderName(naming.path) : naming.folder;
  const [name, setName] = useState(naming.what === "rename" ? baseName(naming.path) : "");
  const act = useMutation({
    mutationFn: async () => {
      const path = `${folder}/${name.trim().replace(/^\/+/, "")}`;
      if (naming.what === "rename") await client.files.move(workspace, { from: naming.path, to: path });
      if (naming.what === "folder") await client.files.createFolder(workspace, path);
      if (naming.what === "file") await client.files.write(workspace, path, "", { ifNew: true, parents: true });
      return path;
    },
    onSuccess: onDone,
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (name.trim() !== "") act.mutate();
  };
  const label =
    naming.what === "rename" ? `New name of ${baseName(naming.path)}` : `New ${naming.what} in ${shortPath(folder)}`;
  return (
    <form className="name-form" onSubmit={submit}>
      <label className="quiet" htmlFor={id}>
        {label}
      </label>
      <Input
        id={id}
        value={name}
        autoFocus
        spellCheck={false}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && onDone(null)}
      />
      {act.error && (
        <p className="is-failed" role="alert">
          {act.error.message}
        </p>
      )}
      <div className="btns">
        <Button size="sm" type="submit" variant="default" aria-busy={act.isPending}>
          {naming.what === "rename" ? "Rename" : "Create"}
        </Button>
        <Button size="sm" variant="ghost" onClick={() => onDone(null)}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
