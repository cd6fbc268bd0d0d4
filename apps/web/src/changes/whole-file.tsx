import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Diff } from "../chat/diff.tsx";
import { diffOf } from "../chat/diff-lines.ts";
import { deliverableQuery } from "../files/file-content.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";

/** A file that a command wrote: a new one is shown as added; of a changed one only the new text is known. */
export function WholeFile({ run, path, added }: { run: string; path: string; added: boolean }) {
  const content = useQuery(deliverableQuery(run, path));
  const text = content.data?.type === "text" ? content.data.text : null;
  const diff = useMemo(() => (added && text !== null ? diffOf(null, text) : null), [added, text]);
  if (content.isPending) return <SkeletonRows rows={4} bare />;
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
      <p className="diff__hunk">Changed by a command; this is the file after the turn</p>
      <pre className="term">{text}</pre>
    </>
  );
}
