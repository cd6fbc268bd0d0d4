import type { RunFile } from "@alcove/contract/api/run";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Diff } from "../chat/diff.tsx";
import { diffOf } from "../chat/diff-lines.ts";
import { deliverableQuery, snapshotFileQuery, type FileContent } from "../files/file-content.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";

/** A file that a command changed: what the snapshot before the turn holds beside what the turn left. */
export function WholeFile({
  workspace,
  run,
  path,
  change,
  before,
}: {
  workspace: string;
  run: string;
  path: string;
  change: RunFile["change"];
  /** The snapshot that was taken before the turn; null when it is not known. */
  before: string | null;
}) {
  const added = change === "added";
  const deleted = change === "deleted";
  const content = useQuery({ ...deliverableQuery(run, path), enabled: !deleted });
  const old = useQuery({ ...snapshotFileQuery(workspace, before ?? "", path), enabled: !added && before !== null });
  const text = deleted ? "" : textOf(content.data);
  const oldText = added ? "" : textOf(old.data);
  const diff = useMemo(() => (text === null || oldText === null ? null : diffOf(oldText, text)), [oldText, text]);
  if (content.isLoading || old.isLoading) return <SkeletonRows rows={4} bare />;
  if (content.isError) {
    return (
      <div className="p-4">
        <FailureAlert failure={failureOf(content.error)} title="The file cannot be shown as this turn left it" />
      </div>
    );
  }
  if (diff) return <Diff diff={diff} maxHeight={false} />;
  if (deleted) return <p className="p-4 soft">Deleted in this turn. Undo brings it back.</p>;
  if (text === null) return <p className="p-4 soft">Not a text: there are no lines to compare.</p>;
  return (
    <>
      <p className="diff__hunk">The snapshot from before this turn is gone; this is the file after it</p>
      <pre className="term">{text}</pre>
    </>
  );
}

/** The text of a file that was read; null when it is none, or not here. */
function textOf(content: FileContent | undefined): string | null {
  return content?.type === "text" ? content.text : null;
}
