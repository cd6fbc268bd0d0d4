import { hasEnded, type Run } from "@alcove/contract/api/run";
import { useQuery } from "@tanstack/react-query";
import { ChevronRight, Info, Lightbulb, TriangleAlert, X } from "lucide-react";
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
        {thoughtWord(item)}
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
  let steps: StepItem[] = [];
  const closeSteps = () => {
    if (steps.length > 0) parts.push(<Steps key={`steps:${steps[0]?.id}`} items={steps} live={live} />);
    steps = [];
  };
  for (const [index, item] of transcript.items.entries()) {
    // The first thought stands beside the agent's name; the others are steps like calls.
    if (item.type === "thought" && (index === 0 || item.text.trim() === "")) continue;
    if (item.type === "tool" || item.type === "thought") {
      steps.push(item);
      continue;
    }
    closeSteps();
    parts.push(<One key={item.id} item={item} />);
  }
  closeSteps();

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

type StepItem = Extract<Item, { type: "tool" | "thought" }>;

function Steps({ items, live }: { items: StepItem[]; live: boolean }) {
  return (
    <div className="steps">
      {items.map((item) =>
        item.type === "thought" ? (
          <ThoughtLine key={item.id} item={item} />
        ) : (
          <ToolLine
            key={item.id}
            call={item.call}
            output={item.output}
            live={item.live}
            watched={live}
            startedAt={item.startedAt}
          />
        ),
      )}
    </div>
  );
}

function ThoughtLine({ item }: { item: Extract<Item, { type: "thought" }> }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="tool">
      <button className="tool__head" type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Lightbulb className="icon" />
        <span>{thoughtWord(item)}</span>
        <span className="cut quiet">{open ? "" : item.text}</span>
        <span className="grow" />
        <ChevronRight className={open ? "icon icon--s rotate-90" : "icon icon--s"} />
      </button>
      {open && <p className="tool__thought">{item.text}</p>}
    </div>
  );
}

function thoughtWord(item: Extract<Item, { type: "thought" }>): string {
  if (item.live) return "Thinking";
  return item.durationMs !== null && item.durationMs >= 500
    ? `Thought for ${formatDuration(item.durationMs)}`
    : "Thought";
}

function One({ item }: { item: Exclude<Item, { type: "tool" | "thought" }> }) {
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
