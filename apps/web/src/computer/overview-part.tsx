import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { Moon, RotateCcw, Sun } from "lucide-react";
import { formatAgo, formatDuration, plural } from "../format/format.ts";
import { archOf, stateWord } from "../home/overview.ts";
import { useOverview } from "../home/use-overview.ts";
import { queries } from "../live/queries.ts";
import { useNow } from "../shell/clock.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Arch } from "../ui/arch.tsx";
import { Button } from "../ui/button.tsx";
import { whyOf } from "../workspace/why.ts";
import { usePower } from "./change.ts";
import { Gauges } from "./gauges.tsx";
import { LifetimeRows } from "./lifetime-rows.tsx";
import { limitKinds } from "./limit-kinds.ts";
import { LimitRow } from "./limit-row.tsx";
import { MachineText } from "../ui/machine-text.tsx";

/** How the workspace is, what it uses, what it may use, and when it sleeps. */
export function OverviewPart({ workspace }: { workspace: Workspace }) {
  return (
    <>
      <State workspace={workspace} />
      <Gauges workspace={workspace} />
      <section className="section" aria-labelledby="limits">
        <div className="section__head">
          <h2 id="limits">Limits</h2>
          <span className="quiet">hold at once, also while it works</span>
        </div>
        <div className="group">
          {limitKinds.map((kind) => (
            <LimitRow key={`${workspace.id} ${kind.name}`} kind={kind} workspace={workspace} />
          ))}
        </div>
      </section>
      <section className="section" aria-labelledby="sleep">
        <div className="section__head">
          <h2 id="sleep">Sleep</h2>
          <span className="quiet">counts only while no work is in flight</span>
        </div>
        <LifetimeRows workspace={workspace} />
      </section>
    </>
  );
}

function State({ workspace }: { workspace: Workspace }) {
  const overview = useOverview();
  const agents = useQuery(queries.agents());
  const power = usePower(workspace);
  const now = useNow(30_000);
  const state = archOf(workspace, overview);
  const asleep = workspace.box === "none" || workspace.box === "failed";
  const facts = [
    workspace.startedAt && !asleep ? `Started ${ago(workspace.startedAt, now)}` : null,
    workspace.startMs === null ? null : `${asleep ? "Started last" : "ready"} in ${formatDuration(workspace.startMs)}`,
    workspace.usage?.processes && !asleep ? plural(workspace.usage.processes, "process", "processes") : null,
    workspace.template ? `template ${workspace.template}` : null,
    workspace.start ? `starts by ${workspace.start}` : null,
    workspace.expectedPorts.length > 0
      ? `${workspace.expectedPorts.length === 1 ? "port" : "ports"} ${workspace.expectedPorts.join(", ")}`
      : null,
    workspace.runtime === "docker" ? "on Docker" : null,
  ].filter(Boolean);
  return (
    <div className="computer__state">
      <Arch state={state} className="computer__arch" />
      <div className="grow">
        <h2>{stateWord(workspace, state)}</h2>
        <p className={state === "failed" ? "is-failed" : "soft"}>
          <MachineText text={reasonOf(whyOf(workspace, overview, agents.data?.items ?? []))} />
        </p>
        <p className="quiet num">{facts.join(" · ")}</p>
      </div>
      <div className="btns">
        {workspace.box === "running" ? (
          <>
            <Button size="sm" aria-busy={power.isPending} onClick={() => power.mutate("sleep")}>
              <Moon className="icon icon--s" /> Put to sleep
            </Button>
            <Button size="sm" variant="ghost" aria-busy={power.isPending} onClick={() => power.mutate("restart")}>
              <RotateCcw className="icon icon--s" /> Restart
            </Button>
          </>
        ) : (
          <Button size="sm" variant="default" aria-busy={power.isPending} onClick={() => power.mutate("wake")}>
            <Sun className="icon icon--s" /> {workspace.box === "failed" ? "Start again" : "Wake"}
          </Button>
        )}
      </div>
      {power.error && (
        <div className="w-full">
          <FailureAlert failure={failureOf(power.error)} fresh />
        </div>
      )}
    </div>
  );
}

/** Why without the state, which stands above it: `Awake: just made` is `Just made`. */
function reasonOf(why: string): string {
  const reason = why.replace(/^(?:Awake|Asleep|Frozen|Failed): /, "");
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}

function ago(at: string, now: number): string {
  const words = formatAgo(at, now);
  return /min$|h$/.test(words) ? `${words} ago` : words === "now" ? "just now" : words;
}
