import type { Change, Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Diff } from "../chat/diff.tsx";
import { diffOf } from "../chat/diff-lines.ts";
import { fileQuery, snapshotFileQuery, type FileContent } from "../files/file-content.ts";
import { formatBytes } from "../format/format.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";

/** One file in two states, line by line; what is no text is told by its size. */
export function SnapshotDiff({
  workspace,
  range,
  change,
}: {
  workspace: Workspace;
  range: { from: string; to: string | null };
  change: Change;
}) {
  const { path } = change;
  const old = useQuery({ ...snapshotFileQuery(workspace.id, range.from, path), enabled: change.change !== "added" });
  const young = useQuery({
    ...(range.to === null ? fileQuery(workspace.name, path) : snapshotFileQuery(workspace.id, range.to, path)),
    enabled: change.change !== "deleted",
  });
  const before = change.change === "added" ? "" : textOf(old.data);
  const after = change.change === "deleted" ? "" : textOf(young.data);
  const diff = useMemo(() => (before === null || after === null ? null : diffOf(before, after)), [before, after]);
  if (change.kind !== "file") return <p className="p-4 quiet">There are no lines to compare.</p>;
  if (diff) return <Diff diff={diff} />;
  const problem = old.error ?? young.error;
  if (problem)
    return (
      <div className="p-4">
        <FailureAlert failure={failureOf(problem)} title="The file cannot be shown" />
      </div>
    );
  if ((change.change !== "added" && old.isPending) || (change.change !== "deleted" && young.isPending))
    return <SkeletonRows rows={2} bare />;
  return (
    <p className="p-4 quiet">
      Not a text{change.size === null ? "" : `, ${formatBytes(change.size)}`}: there are no lines to compare.
    </p>
  );
}

/** The text of a file that was read; null when it is none, or not here yet. */
function textOf(content: FileContent | undefined): string | null {
  return content?.type === "text" ? content.text : null;
}
