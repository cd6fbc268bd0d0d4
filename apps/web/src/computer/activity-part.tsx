import { allowsHost } from "@alcove/contract/api/network";
import type { WorkspaceEvent } from "@alcove/contract/api/workspace-event";
import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { CircleMinus, Gauge, Moon, Power, Settings2, Snowflake, Sun, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { formatAgo, plural } from "../format/format.ts";
import { queries } from "../live/queries.ts";
import { useNow } from "../shell/clock.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Empty, SkeletonRows } from "../ui/skeleton.tsx";
import { ToggleGroup } from "../ui/toggle-group.tsx";
import { useAllowHost } from "./denials.tsx";
import { MachineText } from "../ui/machine-text.tsx";

type Filter = "all" | "trouble" | "sleep";

const filters: { value: Filter; label: string }[] = [
  { value: "all", label: "Everything" },
  { value: "trouble", label: "Limits and refusals" },
  { value: "sleep", label: "Starts and sleep" },
];

function filterOf(kind: WorkspaceEvent["kind"]): Filter {
  switch (kind) {
    case "limit.reached":
    case "network.denied":
    case "box.died":
      return "trouble";
    case "box.started":
    case "box.frozen":
    case "box.thawed":
    case "box.stopped":
      return "sleep";
    default:
      return "all";
  }
}

/** What happened to the workspace, newest first. */
export function ActivityPart({ workspace, onLimits }: { workspace: Workspace; onLimits: () => void }) {
  const events = useQuery(queries.workspaceEvents(workspace.id));
  const [filter, setFilter] = useState<Filter>("all");
  if (!events.data)
    return events.isError ? <FailureAlert failure={failureOf(events.error)} /> : <SkeletonRows rows={6} />;
  const all = events.data.items.toSorted((a, b) => b.seq - a.seq);
  const shown = filter === "all" ? all : all.filter((event) => filterOf(event.kind) === filter);
  return (
    <div className="section">
      <div className="section__head">
        <ToggleGroup label="Which activity" value={filter} options={filters} onChange={setFilter} />
      </div>
      {shown.length === 0 ? (
        <Empty title={all.length === 0 ? "Nothing happened yet" : "Nothing of this kind"}>
          A limit that was reached, an address that was refused, each start and each sleep is told here.
        </Empty>
      ) : (
        <ol className="group">
          {shown.map((event) => (
            <Row key={event.seq} event={event} workspace={workspace} onLimits={onLimits} />
          ))}
        </ol>
      )}
    </div>
  );
}

function Row({ event, workspace, onLimits }: { event: WorkspaceEvent; workspace: Workspace; onLimits: () => void }) {
  const now = useNow(30_000);
  const allow = useAllowHost(workspace);
  const Icon = icons[event.kind];
  const failed = event.kind === "limit.reached" || event.kind === "box.died";
  return (
    <li className="happening">
      <Icon className={failed ? "icon is-failed" : "icon"} />
      <span className="grow">
        <MachineText text={event.text} />
        {event.kind === "network.denied" && event.data.times > 1 && (
          <span className="quiet"> · {plural(event.data.times, "time")}</span>
        )}
      </span>
      {event.kind === "network.denied" && event.data.canAllow && !allowsHost(workspace.network, event.data.host) && (
        <Button
          size="sm"
          aria-busy={allow.isPending}
          aria-label={`Allow ${event.data.host}`}
          onClick={() => event.kind === "network.denied" && allow.mutate(event.data.host)}
        >
          Allow
        </Button>
      )}
      {event.kind === "limit.reached" && (
        <Button size="sm" variant="ghost" onClick={onLimits}>
          Limits
        </Button>
      )}
      <time className="quiet num" dateTime={event.at} title={new Date(event.at).toLocaleString("en-GB")}>
        {formatAgo(event.at, now)}
      </time>
    </li>
  );
}

const icons: Record<WorkspaceEvent["kind"], typeof Gauge> = {
  "limit.reached": Gauge,
  "network.denied": CircleMinus,
  "box.started": Power,
  "box.frozen": Snowflake,
  "box.thawed": Sun,
  "box.stopped": Moon,
  "box.died": TriangleAlert,
  changed: Settings2,
};
