import type { Run, RunFile, Session } from "@alcove/contract/api/run";
import type { Workspace } from "@alcove/contract/api/workspace";
import { hasEnded } from "@alcove/contract/api/run";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Circle, CircleDot } from "lucide-react";
import { useMemo, useState } from "react";
import { Diff, DiffCounts } from "../chat/diff.tsx";
import { Undo } from "../chat/turn-end.tsx";
import { useTranscript } from "../chat/use-transcript.ts";
import { baseName, formatTime, plural, shortPath } from "../format/format.ts";
import { queries } from "../live/queries.ts";
import { Empty, SkeletonRows } from "../ui/skeleton.tsx";
import { WholeFile } from "./whole-file.tsx";
import { changesOf, type FileChange } from "./changes.ts";

/** What each turn changed, file by file. */
export default function ChangesPane({ workspace, session }: { workspace: Workspace; session: Session | null }) {
  const runs = useQuery(queries.workspaceRuns(workspace.name));
  const search = useSearch({ from: "/frame/workspaces/$name" });
  const navigate = useNavigate({ from: "/workspaces/$name" });
  const turns = useMemo(() => {
    const all = (runs.data?.items ?? []).filter(
      (run) => run.files.length > 0 || (!hasEnded(run.state) && run.state !== "queued"),
    );
    return all.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  }, [runs.data]);
  if (!runs.data) return <SkeletonRows rows={4} bare />;
  const run =
    turns.find((other) => other.id === search.run) ?? turns.find((other) => other.session === session?.id) ?? turns[0];
  if (!run)
    return (
      <Empty title="No changes yet">
        When an agent changes files, each turn is listed here with its differences, and can be undone.
      </Empty>
    );
  return <Turns turns={turns} run={run} show={(id) => void navigate({ search: (old) => ({ ...old, run: id }) })} />;
}

function Turns({ turns, run, show }: { turns: Run[]; run: Run; show: (run: string) => void }) {
  const transcript = useTranscript(run.id, true);
  const changes = useMemo(() => changesOf(run, transcript), [run, transcript]);
  const [chosen, setChosen] = useState<string | null>(null);
  const current = changes.find((change) => change.path === chosen) ?? changes[0];
  const sum = (pick: (change: FileChange) => number) => changes.reduce((total, change) => total + pick(change), 0);
  return (
    <div className="pane pane--changes">
      <div className="changes__list">
        <div className="tree__head">
          <b className="strong grow">{plural(changes.length, "file")}</b>
          <DiffCounts added={sum((change) => change.added)} removed={sum((change) => change.removed)} />
        </div>
        <ul>
          {changes.map((change) => (
            <li key={change.path}>
              <button
                type="button"
                className="change"
                aria-current={change === current ? "true" : undefined}
                title={shortPath(change.path)}
                onClick={() => setChosen(change.path)}
              >
                <span className={markClass(change.change)}>{markLetter(change.change)}</span>
                <span className="cut grow text-left">{baseName(change.path)}</span>
                <DiffCounts added={change.added} removed={change.removed} />
              </button>
            </li>
          ))}
        </ul>
        <div className="tree__head">
          <b className="strong grow">Turns</b>
        </div>
        <ul>
          {turns.slice(0, 50).map((turn) => (
            <li key={turn.id}>
              <button
                type="button"
                className="change"
                aria-current={turn === run ? "true" : undefined}
                onClick={() => show(turn.id)}
              >
                {turn === run ? <CircleDot className="icon icon--s" /> : <Circle className="icon icon--s" />}
                <span className="cut grow text-left">{turn.title}</span>
                <time className="quiet num">{formatTime(turn.createdAt)}</time>
              </button>
            </li>
          ))}
        </ul>
      </div>
      <div
        className="changes__diff"
        tabIndex={0}
        role="region"
        aria-label={current ? `Changes in ${baseName(current.path)}` : "Changes"}
      >
        <div className="tree__head">
          <code className="grow cut">{current ? shortPath(current.path) : ""}</code>
          {hasEnded(run.state) && <Undo run={run} />}
        </div>
        {current ? (
          <OneFile run={run} change={current} before={transcript.before} />
        ) : (
          <Empty title="Nothing changed so far">This turn is still at work.</Empty>
        )}
      </div>
    </div>
  );
}

function OneFile({ run, change, before }: { run: Run; change: FileChange; before: string | null }) {
  if (change.diffs.length === 0 || change.change === "deleted")
    return (
      <WholeFile workspace={run.workspace} run={run.id} path={change.path} change={change.change} before={before} />
    );
  return (
    <>
      {change.diffs.map((diff, index) => (
        <div key={index}>
          {change.diffs.length > 1 && (
            <div className="diff__hunk">
              Edit {index + 1} of {change.diffs.length}
            </div>
          )}
          <Diff diff={diff} maxHeight={false} />
        </div>
      ))}
    </>
  );
}

function markClass(change: RunFile["change"]): string {
  return change === "added"
    ? "leaf__mark is-added"
    : change === "deleted"
      ? "leaf__mark is-removed"
      : "leaf__mark is-waiting";
}

function markLetter(change: RunFile["change"]): string {
  return change === "added" ? "A" : change === "deleted" ? "D" : "M";
}
