import type { ToolCall } from "@alcove/contract/api/event";
import {
  ChevronRight,
  FileDiff as FileDiffIcon,
  FileText,
  Globe,
  Lightbulb,
  MoveRight,
  Search,
  SquareTerminal,
  Trash2,
  Wrench,
} from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { formatDuration, shortPath } from "../format/format.ts";
import { useNow } from "../shell/clock.ts";
import { diffOf, type FileDiff } from "./diff-lines.ts";
import { Diff, DiffCounts } from "./diff.tsx";

const icons: Record<ToolCall["kind"], typeof Search> = {
  read: FileText,
  edit: FileDiffIcon,
  delete: Trash2,
  move: MoveRight,
  search: Search,
  execute: SquareTerminal,
  think: Lightbulb,
  fetch: Globe,
  switch_mode: Wrench,
  other: Wrench,
};

interface ToolLineProps {
  call: ToolCall;
  /** Output that was seen live and is not stored yet. */
  output: string;
  live: boolean;
  /** True in a turn that is being watched: a new diff opens there. */
  watched: boolean;
  startedAt: number;
}

/** One call: a line of fixed height that fills in place and opens when pressed. */
export function ToolLine({ call, output, live, watched, startedAt }: ToolLineProps) {
  const diffs = useMemo(() => diffsOf(call), [call]);
  const text = output || textOf(call);
  const [opened, setOpened] = useState<boolean | null>(null);
  const [seenAtWork] = useState(watched);
  const open = opened ?? (seenAtWork && diffs.length > 0 && !live);
  const Icon = icons[call.kind];
  const body = diffs.length > 0 || text !== "";
  const id = `call-${call.id}`;
  return (
    <div className="tool">
      <button
        className="tool__head"
        type="button"
        aria-expanded={body ? open : undefined}
        aria-controls={body ? id : undefined}
        aria-disabled={!body}
        onClick={() => body && setOpened(!open)}
      >
        <Icon className="icon" />
        {call.command ? <code className="cut">{firstLine(call.command)}</code> : <Title call={call} />}
        <span className="grow" />
        <Fact call={call} live={live} diffs={diffs} startedAt={startedAt} />
        {body ? (
          <ChevronRight className={open ? "icon icon--s rotate-90" : "icon icon--s"} />
        ) : (
          <span className="icon--s" />
        )}
      </button>
      {body && open && (
        <div id={id}>
          {call.command?.includes("\n") && (
            <pre className="term term--command" tabIndex={0}>
              {call.command}
            </pre>
          )}
          {diffs.map((file, index) => (
            <div key={index}>
              {diffs.length > 1 && <div className="diff__hunk">{shortPath(file.path)}</div>}
              <Diff diff={file.diff} />
            </div>
          ))}
          {text !== "" && (
            <pre
              className="term term--output"
              tabIndex={0}
              role="region"
              aria-label={`Output of ${call.command ?? call.title}`}
            >
              {text}
            </pre>
          )}
        </div>
      )}
    </div>
  );
}

function Title({ call }: { call: ToolCall }): ReactNode {
  const [place] = call.locations;
  const diff = call.content.find((content) => content.type === "diff");
  const path =
    diff?.path ?? (call.kind === "read" || call.kind === "edit" || call.kind === "delete" ? place?.path : undefined);
  if (path) {
    return (
      <>
        {call.kind === "read" && <span>Read</span>}
        {call.kind === "delete" && <span>Delete</span>}
        <code className="cut">{shortPath(path)}</code>
      </>
    );
  }
  return <span className="cut">{call.title}</span>;
}

function Fact({
  call,
  live,
  diffs,
  startedAt,
}: {
  call: ToolCall;
  live: boolean;
  diffs: { diff: FileDiff }[];
  startedAt: number;
}) {
  const now = useNow(200, live);
  if (call.status === "failed") return <span className="is-failed">{exitOf(call) ?? "failed"}</span>;
  if (live) return <span className="quiet num">{formatDuration(Math.max(0, now - startedAt))}</span>;
  if (diffs.length > 0) {
    const sum = (pick: (diff: FileDiff) => number) => diffs.reduce((total, { diff }) => total + pick(diff), 0);
    return <DiffCounts added={sum((diff) => diff.added)} removed={sum((diff) => diff.removed)} />;
  }
  const exit = exitOf(call);
  if (exit) return <span className="is-failed">{exit}</span>;
  return call.durationMs === null ? null : <span className="quiet num">{formatDuration(call.durationMs)}</span>;
}

function exitOf(call: ToolCall): string | null {
  const output = call.content.find((content) => content.type === "output");
  return output?.exitCode ? `exit ${output.exitCode}` : null;
}

/** The files that a call changed, with their differences. */
export function diffsOf(call: ToolCall): { path: string; diff: FileDiff }[] {
  return call.content.flatMap((content) =>
    content.type === "diff" ? [{ path: content.path, diff: diffOf(content.oldText, content.newText) }] : [],
  );
}

function textOf(call: ToolCall): string {
  return call.content
    .flatMap((content) => (content.type === "diff" ? [] : [content.text]))
    .join("\n")
    .trim();
}

function firstLine(command: string): string {
  const end = command.indexOf("\n");
  return end < 0 ? command : `${command.slice(0, end)} …`;
}
