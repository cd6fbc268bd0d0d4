import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Diff } from "../chat/diff.tsx";
import { diffOf } from "../chat/diff-lines.ts";
import { deliverableQuery, snapshotFileQuery } from "../files/file-content.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";

/** A file that a command wrote: a new one is shown as added, a changed one beside what the snapshot before the turn holds. */
export function WholeFile({
  workspace,
  run,
  path,
  added,
  before,
}: {
  workspace: string;
  run: string;
  path: string;
  added: boolean;
  /** The snapshot that was taken before the turn; null when it is not known. */
  before: string | null;
}) {
  const content = useQuery(deliverableQuery(run, path));
  const old = useQuery({ ...snapshotFileQuery(workspace, before ?? "", path), enabled: !added && before !== null });
  const text = content.data?.type === "text" ? content.data.text : null;
  const oldText = added ? null : old.data?.type === "text" ? old.data.text : undefined;
  const diff = useMemo(() => (text === null || oldText === undefined ? null : diffOf(oldText, text)), [oldText, text]);
  if (content.isPending || old.isLoading) return <SkeletonRows rows={4} bare />;
  if (content.isError) {
    return (
      <div className="p-4">
        <FailureAlert failure={failureOf(content.error)} title="The file cannot be shown as this turn left it" />
      </div>
    );
  }
  if (text === null) return <p className="p-4 soft">Not a text: there are no lines to compare.</p>;
  if (diff) return <Diff diff={diff} maxHeight={false} />;
  return (
    <>
      <p className="diff__hunk">The snapshot from before this turn is gone; this is the file after it</p>
      <pre className="term">{text}</pre>
    </>
  );
}
