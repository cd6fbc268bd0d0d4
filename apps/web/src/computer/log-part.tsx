import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useLayoutEffect, useMemo, useRef } from "react";
import { queries } from "../live/queries.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Empty, SkeletonRows } from "../ui/skeleton.tsx";
import { logLines } from "./log-lines.ts";

/** Somebody who has scrolled up further than this reads, and is left where they are. */
const nearEnd = 48;

/** What the box itself printed: its daemon, its first process, and why they ended. */
export default function LogPart({ workspace }: { workspace: Workspace }) {
  const running = workspace.box === "running";
  const log = useQuery({ ...queries.workspaceLog(workspace.id), refetchInterval: running ? 3_000 : false });
  const { refetch } = log;
  // The end of the box prints its last lines.
  useEffect(() => {
    if (!running) void refetch();
  }, [running, refetch]);
  const lines = useMemo(() => logLines(log.data ?? ""), [log.data]);
  const scroll = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    if (scroll.current && atEnd.current) scroll.current.scrollTop = scroll.current.scrollHeight;
  });
  if (log.isPending) return <SkeletonRows rows={6} bare />;
  if (log.isError && log.data === undefined)
    return (
      <div className="p-4">
        <FailureAlert failure={failureOf(log.error)} title="The log cannot be read">
          <Button size="sm" onClick={() => void log.refetch()}>
            Try again
          </Button>
        </FailureAlert>
      </div>
    );
  if (lines.length === 0)
    return (
      <Empty title="Nothing in the log">
        What the workspace's first processes print lands here: how it started, and why it ended.
      </Empty>
    );
  return (
    <div
      className="log"
      ref={scroll}
      tabIndex={0}
      role="log"
      aria-label="Log of the box"
      aria-live="off"
      onScroll={(event) => {
        const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
        atEnd.current = scrollHeight - scrollTop - clientHeight < nearEnd;
      }}
    >
      {lines.map((line, index) => (
        <div key={index} className={line.level === "info" ? "log__line" : `log__line log__line--${line.level}`}>
          <time className="num">{line.time}</time>
          <span>
            {line.level !== "info" && <span className="sr">{line.level}: </span>}
            {line.text} {line.rest && <span className="quiet">{line.rest}</span>}
          </span>
        </div>
      ))}
    </div>
  );
}
