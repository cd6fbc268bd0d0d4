import type { Workspace } from "@alcove/contract/api/workspace";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, type ReactNode } from "react";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { ActivityPart } from "./activity-part.tsx";
import { NetworkPart } from "./network-part.tsx";
import { OverviewPart } from "./overview-part.tsx";
import { computerParts, type ComputerPart } from "./parts.ts";

const SnapshotsPart = lazy(() => import("../snapshots/snapshots-part.tsx"));
const LogPart = lazy(() => import("./log-part.tsx"));

/** The workspace as a computer: figures and limits, network, snapshots, what happened, its log. */
export default function ComputerPane({ workspace }: { workspace: Workspace }) {
  const { part = "overview" } = useSearch({ from: "/frame/workspaces/$name" });
  const navigate = useNavigate({ from: "/workspaces/$name" });
  const show = (next: ComputerPart) =>
    void navigate({ search: (old) => ({ ...old, pane: "computer" as const, part: next }), replace: true });
  return (
    <div className="pane pane--computer">
      <nav className="subtabs" aria-label="Parts of the computer">
        <div className="editor__files">
          {computerParts.map((other) => (
            <span className="doc-tab" key={other.part} data-current={other.part === part}>
              <button
                type="button"
                aria-current={other.part === part ? "page" : undefined}
                onClick={() => show(other.part)}
              >
                {other.label}
              </button>
            </span>
          ))}
        </div>
      </nav>
      <Suspense fallback={<SkeletonRows rows={5} bare />}>{contentOf(part, workspace, show)}</Suspense>
    </div>
  );
}

function contentOf(part: ComputerPart, workspace: Workspace, show: (part: ComputerPart) => void): ReactNode {
  switch (part) {
    case "overview":
      return (
        <Column label="Overview">
          <OverviewPart workspace={workspace} />
        </Column>
      );
    case "network":
      return (
        <Column label="Network">
          <NetworkPart workspace={workspace} />
        </Column>
      );
    case "snapshots":
      return <SnapshotsPart workspace={workspace} />;
    case "activity":
      return (
        <Column label="Activity">
          <ActivityPart workspace={workspace} onLimits={() => show("overview")} />
        </Column>
      );
    case "log":
      return <LogPart workspace={workspace} />;
  }
}

/** One column to read and fill in, with its own scroll. */
function Column({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="computer" tabIndex={0} role="region" aria-label={label}>
      {children}
    </div>
  );
}
