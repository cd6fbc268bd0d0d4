import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { MessageSquare } from "lucide-react";
import type { KeyboardEvent } from "react";
import { useOverview } from "../home/use-overview.ts";
import { queries } from "../live/queries.ts";
import { Tooltip } from "../ui/tooltip.tsx";
import { newestDeliverables } from "../deliverables/newest.ts";
import { panes, type Pane } from "./panes.ts";

function useCounts(workspace: Workspace): Record<Pane, number> {
  const runs = useQuery(queries.workspaceRuns(workspace.name));
  const terminals = useQuery({ ...queries.awakeTerminals(workspace.name), enabled: workspace.box === "running" });
  const newest = runs.data?.items.find((run) => run.files.length > 0);
  return {
    files: 0,
    terminal: terminals.data?.items.length ?? 0,
    changes: newest?.files.filter((file) => file.kind !== "folder").length ?? 0,
    deliverables: newestDeliverables(runs.data?.items ?? []).length,
    computer: 0,
  };
}

/** Arrow keys move between tabs, as in every list of tabs. */
function moveByArrows(event: KeyboardEvent<HTMLElement>) {
  const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (step === 0) return;
  const tabs = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=tab]")];
  const at = tabs.findIndex((tab) => tab === document.activeElement);
  const next = tabs.at((at + step + tabs.length) % tabs.length);
  next?.focus();
  next?.click();
}

export function PaneTabs({ workspace, pane, show }: { workspace: Workspace; pane: Pane; show: (pane: Pane) => void }) {
  const counts = useCounts(workspace);
  return (
    <div className="panel__head">
      <div className="tabs" role="tablist" aria-label="Panes" onKeyDown={moveByArrows}>
        {panes.map(({ id, label, icon: Icon, shortcut }) => (
          <Tooltip key={id} label={label} shortcut={shortcut}>
            <button
              className="tab"
              type="button"
              role="tab"
              aria-selected={id === pane}
              aria-controls={`pane-${id}`}
              tabIndex={id === pane ? 0 : -1}
              onClick={() => show(id)}
            >
              <Icon className="icon" /> <span className="tab__label">{label}</span>{" "}
              {counts[id] > 0 && <span className="count">{counts[id]}</span>}
            </button>
          </Tooltip>
        ))}
      </div>
    </div>
  );
}

const phoneOrder: (Pane | "chat")[] = ["chat", "deliverables", "files", "changes", "terminal", "computer"];

/** One part at a time on a phone. */
export function PhoneTabs({
  workspace,
  shown,
  show,
}: {
  workspace: Workspace;
  shown: Pane | "chat";
  show: (pane: Pane | "chat") => void;
}) {
  const { needs } = useOverview();
  const waiting = needs.filter((need) => need.type === "approval" && need.approval.workspace === workspace.id).length;
  return (
    <div className="tabbar" role="tablist" aria-label="Parts of the workspace" onKeyDown={moveByArrows}>
      {phoneOrder.map((id) => {
        const pane = panes.find((other) => other.id === id);
        const Icon = pane?.icon ?? MessageSquare;
        return (
          <button
            key={id}
            type="button"
            role="tab"
            aria-selected={shown === id}
            aria-controls={`pane-${id}`}
            tabIndex={shown === id ? 0 : -1}
            onClick={() => show(id)}
          >
            <Icon className="icon" />
            {id === "chat" && waiting > 0 && <span className="tabbar__badge">{waiting}</span>}
            {pane?.label ?? "Chat"}
          </button>
        );
      })}
    </div>
  );
}
