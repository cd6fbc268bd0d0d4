import type { Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { client } from "../live/client.ts";
import { draftOf, forgetDraft, keepDraft } from "./drafts.ts";
import { fileQuery, type FileContent } from "./file-content.ts";

/** Over which version the text is written: the one that it was typed over, the one with this ETag, null for any, or none at all. */
type SaveOver = { type: "typed" } | { type: "etag"; etag: string | null } | { type: "gone" };

/** Writes the unsaved text of a file; what is typed meanwhile stays unsaved. */
export function useSave(workspace: Workspace, path: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationKey: ["save", workspace.id, path],
    mutationFn: async (over: SaveOver) => {
      const draft = draftOf(workspace.id, path);
      if (!draft) return;
      const written = await client.files.write(workspace.name, path, draft.text, conditionOf(over, draft.etag));
      const saved: FileContent = { type: "text", text: draft.text, etag: written.etag };
      queryClient.setQueryData(fileQuery(workspace.name, path).queryKey, saved);
      // Typing may have gone on while the text was on its way.
      const now = draftOf(workspace.id, path);
      if (now?.text === draft.text) forgetDraft(workspace.id, path);
      else if (now) keepDraft(workspace.id, path, { text: now.text, etag: written.etag });
      if (over.type === "gone") await queryClient.invalidateQueries({ queryKey: ["folder", workspace.name] });
    },
  });
}

function conditionOf(over: SaveOver, typedOver: string | null) {
  if (over.type === "gone") return { ifNew: true, parents: true };
  const etag = over.type === "etag" ? over.etag : typedOver;
  return etag === null ? {} : { ifMatch: etag };
}
