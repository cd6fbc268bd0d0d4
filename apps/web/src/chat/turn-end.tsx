import type { Run, RunFile } from "@alcove/contract/api/run";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Undo2 } from "lucide-react";
import { useState } from "react";
import {
  baseName,
  folderName,
  formatBytes,
  formatCost,
  formatCount,
  formatDuration,
  plural,
  shortPath,
} from "../format/format.ts";
import { client } from "../live/client.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { remedyOf, useRemedy } from "./remedy.ts";
import type { Transcript } from "./transcript.ts";

/** The foot of a turn: what came out, what it cost, what went wrong, and the way back. */
export function TurnEnd({
  run,
  transcript,
  openPath,
}: {
  run: Run;
  transcript: Transcript;
  openPath: (path: string) => void;
}) {
  const deliverables =
    run.undo === "done" ? [] : run.files.filter((file) => file.deliverable && file.change !== "deleted");
  return (
    <>
      {deliverables.length > 0 && (
        <div className="results" role="group" aria-label="Deliverables">
          {deliverables.slice(0, 4).map((file) => (
            <Result key={file.path} file={file} onOpen={() => openPath(file.path)} />
          ))}
          {deliverables.length > 4 && (
            <p className="quiet">and {plural(deliverables.length - 4, "more file")} under Deliverables</p>
          )}
        </div>
      )}
      <Problem run={run} />
      <Foot run={run} transcript={transcript} />
    </>
  );
}

function Result({ file, onOpen }: { file: RunFile; onOpen: () => void }) {
  const folder = shortPath(folderName(file.path));
  const facts = [
    file.change === "added" ? "New" : "Changed",
    file.size === null ? null : formatBytes(file.size),
    folder === "projects" || folder === "user" ? null : folder,
  ];
  return (
    <button className="result" type="button" onClick={onOpen}>
      <span className="paper" aria-hidden="true">
        {extensionOf(file.path)}
      </span>
      <span className="grow text-left">
        <b className="strong cut block">{baseName(file.path)}</b>
        <span className="quiet">{facts.filter(Boolean).join(", ")}</span>
      </span>
      <span className="btn btn--s">Open</span>
    </button>
  );
}

/** The ending of the file's name, short enough for its picture. */
export function extensionOf(path: string): string {
  const name = baseName(path);
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1, dot + 5) : "";
}

function Problem({ run }: { run: Run }) {
  const act = useRemedy(run);
  if (run.state === "cancelled") return <p className="aside-line quiet">Stopped by you. What was written is kept.</p>;
  if (run.state !== "failed" && run.state !== "interrupted") return null;
  const remedy = remedyOf(run);
  const failure = run.error ?? {
    code: "run_interrupted",
    detail: "The run was interrupted",
    hint: "Check the workspace, then send the next message to continue.",
  };
  return (
    <FailureAlert failure={failure}>
      {remedy.act === "settings" ? (
        <Link className={buttonClass({ size: "sm" })} to="/settings/agents">
          {remedy.label}
        </Link>
      ) : (
        <Button size="sm" aria-busy={act.isPending} onClick={() => act.mutate()}>
          {remedy.label}
        </Button>
      )}
      {act.error && (
        <p className="is-failed" role="alert">
          {act.error.message}
        </p>
      )}
    </FailureAlert>
  );
}

function Foot({ run, transcript }: { run: Run; transcript: Transcript }) {
  const [open, setOpen] = useState(false);
  const from = run.startedAt ?? run.createdAt;
  const tokens =
    run.usage.inputTokens + run.usage.outputTokens + run.usage.cacheReadTokens + run.usage.cacheWriteTokens;
  const facts = [
    run.endedAt ? formatDuration(Date.parse(run.endedAt) - Date.parse(from)) : null,
    tokens > 0 ? `${formatCount(tokens)} tokens` : null,
    run.costUsd === null ? null : formatCost(run.costUsd),
  ].filter(Boolean);
  const changed = run.files.filter((file) => file.kind !== "folder");
  return (
    <footer className="turn__foot">
      {changed.length > 0 && (
        <button className="fold" type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {plural(changed.length, "file")} changed
        </button>
      )}
      <span className="quiet num">{facts.join(" · ")}</span>
      <span className="grow" />
      <Undo run={run} />
      {open && (
        <ul className="turn__files">
          {changed.map((file) => (
            <li key={file.path}>
              <span
                className={
                  file.change === "added"
                    ? "leaf__mark is-added"
                    : file.change === "deleted"
                      ? "leaf__mark is-removed"
                      : "leaf__mark is-waiting"
                }
              >
                {file.change === "added" ? "A" : file.change === "deleted" ? "D" : "M"}
              </span>
              <code className="cut">{shortPath(file.path)}</code>
            </li>
          ))}
        </ul>
      )}
      {transcript.seq === 0 && <span className="sr">Loading</span>}
    </footer>
  );
}

/** Puts back what the turn changed, and says what was put back and what was left alone. */
export function Undo({ run }: { run: Run }) {
  const queryClient = useQueryClient();
  const undo = useMutation({
    mutationFn: () => client.runs.undo(run.id),
    onSettled: () =>
      Promise.all(["runs", "folder", "file"].map((key) => queryClient.invalidateQueries({ queryKey: [key] }))),
  });
  if (undo.data) {
    const { reverted, kept } = undo.data;
    return (
      <span className="undone" role="status">
        {plural(reverted.length, "file")} put back
        {kept.length > 0 && (
          <span className="is-waiting">
            ; {kept.map(shortPath).join(", ")} {kept.length === 1 ? "was" : "were"} changed later and kept
          </span>
        )}
      </span>
    );
  }
  if (run.undo === "done") return <span className="quiet">Undone</span>;
  if (run.undo === "none" || run.files.length === 0) return null;
  return (
    <>
      <Button size="sm" variant="ghost" aria-busy={undo.isPending} onClick={() => undo.mutate()}>
        <Undo2 className="icon icon--s" /> {undo.isPending ? "Putting back" : "Undo this turn"}
      </Button>
      {undo.error && (
        <div className="w-full">
          <FailureAlert failure={failureOf(undo.error)} title="Nothing was put back" fresh />
        </div>
      )}
    </>
  );
}
