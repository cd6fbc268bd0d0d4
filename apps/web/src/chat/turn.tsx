import { hasEnded, type Run } from "@alcove/contract/api/run";
import { useQuery } from "@tanstack/react-query";
import { ChevronRight, Info, TriangleAlert, X } from "lucide-react";
import { lazy, memo, Suspense, useState, type ReactNode } from "react";
import { formatDuration, formatTime } from "../format/format.ts";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { Bot } from "../ui/avatar.tsx";
import { IconButton } from "../ui/button.tsx";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { usePatience } from "../ui/skeleton.tsx";
import { ApprovalCard } from "./approval-card.tsx";
import { Plan } from "./plan.tsx";
import { ToolLine } from "./tool-call.tsx";
import type { Item, Transcript } from "./transcript.ts";
import { TurnEnd } from "./turn-end.tsx";
import { useTranscript, useTranscriptFailure } from "./use-transcript.ts";

const Markdown = lazy(() => import("../ui/markdown.tsx"));

/** One run in a conversation: what was asked, and everything that came of it, in order. */
export const Turn = memo(function Turn({ run, openPath }: { run: Run; openPath: (path: string) => void }) {
  const on = run.state !== "queued";
  const transcript = useTranscript(run.id, on);
  const live = on && transcript.endedAt === null;
  return (
    <article className="turn" aria-label={run.title} data-live={live}>
      <Ask run={run} />
      {on && <Speaker run={run} transcript={transcript} />}
      {on && <Told run={run} transcript={transcript} live={live} />}
      {hasEnded(run.state) && transcript.endedAt !== null && (
        <TurnEnd run={run} transcript={transcript} openPath={openPath} />
      )}
    </article>
  );
});

function Ask({ run }: { run: Run }) {
  return (
    <div className="ask">
      <span className="ask__text">{run.prompt}</span>
      {run.state === "queued" && (
        <span className="ask__queued quiet">
          Queued: goes on when the turn above is done
          <IconButton label="Take it back" onClick={() => void client.runs.cancel(run.id)}>
            <X className="icon icon--s" />
          </IconButton>
        </span>
      )}
    </div>
  );
}

function Speaker({ run, transcript }: { run: Run; transcript: Transcript }) {
  const agents = useQuery(queries.agents());
  const agent = agents.data?.items.find((other) => other.name === run.agent);
  const modelId = transcript.model ?? run.model;
  const model = agent?.models.find((other) => other.id === modelId)?.title ?? modelId;
  const [first] = transcript.items;
  return (
    <div className="speaker">
      <Bot monogram={agent?.monogram ?? run.agent.slice(0, 2)} /> <b>{agent?.title ?? run.agent}</b>{" "}
      {model && <span>{model}</span>}
      <time dateTime={run.startedAt ?? run.createdAt}>{formatTime(run.startedAt ?? run.createdAt)}</time>
      {first?.type === "thought" && <Thought item={first} />}
    </div>
  );
}

function Thought({ item }: { item: Extract<Item, { type: "thought" }> }) {
  const [open, setOpen] = useState(false);
  if (item.text.trim() === "") return null;
  return (
    <>
      <button className="fold" type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {item.live
          ? "Thinking"
          : item.durationMs !== null && item.durationMs >= 500
            ? `Thought for ${formatDuration(item.durationMs)}`
            : "Thought"}
        <ChevronRight className={open ? "icon icon--s rotate-90" : "icon icon--s"} />
      </button>
      {open && <p className="fold__text">{item.text}</p>}
    </>
  );
}

/** The items of a run; neighbouring calls share one card. */
function Told({ run, transcript, live }: { run: Run; transcript: Transcript; live: boolean }) {
  const failure = useTranscriptFailure(run.id, true);
  const late = usePatience(live && transcript.items.length === 0 && hasEnded(run.state));
  const parts: ReactNode[] = [];
  let calls: Extract<Item, { type: "tool" }>[] = [];
  const closeCalls = () => {
    if (calls.length > 0) parts.push(<Steps key={`steps:${calls[0]?.id}`} calls={calls} live={live} />);
    calls = [];
  };
  for (const [index, item] of transcript.items.entries()) {
    if (item.type === "tool") {
      calls.push(item);
      continue;
    }
    // Thoughts between calls are let out of the card only when they can be read.
    if (item.type === "thought" && (index === 0 || item.text.trim() === "")) continue;
    closeCalls();
    parts.push(<One key={item.id} item={item} />);
  }
  closeCalls();

  const last = transcript.items.at(-1);
  const writing = last && (last.type === "message" || last.type === "tool") && last.live;
  return (
    <>
      {late && <i className="skeleton w-2/3" aria-label="Loading" />}
      {parts}
      {transcript.plan.length > 0 && <Plan entries={transcript.plan} live={live} />}
      {live && !writing && !failure && <Doing run={run} transcript={transcript} />}
      {failure !== null && (
        <FailureAlert failure={failureOf(failure)} title="The conversation could not be read">
          <a className="btn btn--s" href={location.href}>
            Load again
          </a>
        </FailureAlert>
      )}
    </>
  );
}

function Steps({ calls, live }: { calls: Extract<Item, { type: "tool" }>[]; live: boolean }) {
  return (
    <div className="steps">
      {calls.map((item) => (
        <ToolLine
          key={item.id}
          call={item.call}
          output={item.output}
          live={item.live}
          watched={live}
          startedAt={item.startedAt}
        />
      ))}
    </div>
  );
}

function One({ item }: { item: Exclude<Item, { type: "tool" }> }) {
  switch (item.type) {
    case "message":
      return (
        <div className="say">
          <Suspense fallback={<p className="whitespace-pre-wrap">{item.text}</p>}>
            <Markdown text={item.text} />
          </Suspense>
          {item.live && <span className="caret" aria-hidden="true" />}
          {item.cut && <p className="quiet">The rest was not kept: the message is too long.</p>}
        </div>
      );
    case "thought":
      return (
        <div className="speaker">
          <Thought item={item} />
        </div>
      );
    case "approval":
      return <ApprovalCard item={item} />;
    case "notice":
      return (
        <p className={item.level === "warning" ? "aside-line is-waiting" : "aside-line quiet"}>
          {item.level === "warning" ? <TriangleAlert className="icon icon--s" /> : <Info className="icon icon--s" />}{" "}
          {item.text}
        </p>
      );
    case "port":
      return (
        <p className="aside-line quiet">
          <span className="tag tag--running">port {item.port}</span> opened{item.process ? ` by ${item.process}` : ""}
        </p>
      );
  }
}

const stepWords = {
  workspace: "Waking the workspace",
  preflight: "Checking the model and the agent",
  checkpoint: "Taking a checkpoint",
  agent: "Starting the agent",
  collect: "Collecting what changed",
} as const;

/** What happens while there is nothing to read yet. */
function Doing({ run, transcript }: { run: Run; transcript: Transcript }) {
  const step = transcript.steps.findLast((other) => other.state !== "done");
  const text =
    transcript.state === "waiting"
      ? "Waits for your answer"
      : step
        ? step.state === "retrying"
          ? step.detail || `${stepWords[step.name]} again`
          : stepWords[step.name]
        : run.state === "preparing" || transcript.items.length === 0
          ? "Getting ready"
          : "Working";
  return (
    <p className="doing quiet" role="status">
      {text}
      <span className="caret" aria-hidden="true" />
    </p>
  );
}
