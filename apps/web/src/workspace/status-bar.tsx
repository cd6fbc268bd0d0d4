import type { Session } from "@alcove/contract/api/run";
import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ArrowDownUp, Cpu, HardDrive, MemoryStick, Plug } from "lucide-react";
import type { ReactNode } from "react";
import { costOf } from "../chat/chat.tsx";
import { useKeepUsage, useUsageHistory } from "../computer/use-usage-history.ts";
import { formatBytes } from "../format/format.ts";
import { archOf } from "../home/overview.ts";
import { useOverview } from "../home/use-overview.ts";
import { queries } from "../live/queries.ts";
import { Arch } from "../ui/arch.tsx";
import { whyOf } from "./why.ts";
import { MachineText } from "../ui/machine-text.tsx";

/** Facts about the workspace, always in the same order; state and figures lead to the Computer pane. */
export function StatusBar({ workspace, session }: { workspace: Workspace; session: Session | null }) {
  const overview = useOverview();
  const navigate = useNavigate({ from: "/workspaces/$name" });
  const runs = useQuery({ ...queries.sessionRuns(session?.id ?? ""), enabled: session !== null });
  const agents = useQuery(queries.agents());
  useKeepUsage(workspace);
  const state = archOf(workspace, overview);
  const tone =
    state === "waiting" ? "is-waiting" : state === "failed" ? "is-failed" : state === "running" ? "is-running" : "";
  const cost = session ? costOf(runs.data?.items ?? []) : null;
  const agent = agents.data?.items.find((other) => other.name === session?.agent)?.title;
  const ports = workspace.ports.map((port) => port.port);
  const openComputer = () =>
    void navigate({ search: (old) => ({ ...old, pane: "computer" as const, part: "overview" as const }) });
  return (
    <footer className="statusbar" aria-label="Workspace status">
      <button type="button" className={`fact ${tone}`} title="Open Computer" onClick={openComputer}>
        <Arch state={state} />{" "}
        <span className="cut">
          <MachineText text={whyOf(workspace, overview, agents.data?.items ?? [])} />
        </span>
      </button>
      {workspace.rootfs === "host" && (
        <span
          className="fact fact--spare fact--wide quiet"
          title="The workspace uses the server's own system files until its template is built"
        >
          system files of the server
        </span>
      )}
      <span className="grow" />
      <button type="button" className="fact facts--live" title="Open Computer" onClick={openComputer}>
        <Figures workspace={workspace} />
      </button>
      {workspace.box === "running" && (
        <span
          className="fact fact--spare"
          title={workspace.ports.map((port) => `${port.port} ${port.process ?? ""}`).join("\n")}
        >
          <Plug className="icon" /> {ports.length === 0 ? "No ports" : ports.join(", ")}
        </span>
      )}
      {cost && (
        <span className="fact">
          {agent && <span className="fact--spare">{agent} ·</span>} {cost}
        </span>
      )}
    </footer>
  );
}

function Figures({ workspace }: { workspace: Workspace }) {
  const last = useUsageHistory(workspace).at(-1);
  const { usage, limits } = workspace;
  if (!usage || workspace.box !== "running") return null;
  const rates = last?.inPerSecond == null || last.outPerSecond == null ? null : last;
  return (
    <>
      {usage.cpuPercent !== null && (
        <Figure icon={<Cpu className="icon" />} label="Processor">
          {Math.round(usage.cpuPercent)} %
          {limits.cpus ? ` of ${limits.cpus} ${limits.cpus === 1 ? "core" : "cores"}` : ""}
        </Figure>
      )}
      {usage.memoryBytes !== null && (
        <Figure icon={<MemoryStick className="icon" />} label="Memory">
          {formatBytes(usage.memoryBytes)}
          {limits.memoryBytes ? ` of ${formatBytes(limits.memoryBytes)}` : ""}
        </Figure>
      )}
      {usage.diskBytes !== null && (
        <Figure icon={<HardDrive className="icon" />} label="Disk">
          {formatBytes(usage.diskBytes)}
          {limits.diskBytes ? ` of ${formatBytes(limits.diskBytes)}` : ""}
        </Figure>
      )}
      {rates && (
        <Figure icon={<ArrowDownUp className="icon" />} label="Network in and out" wideOnly>
          {formatBytes(Math.round(rates.inPerSecond ?? 0))}/s, {formatBytes(Math.round(rates.outPerSecond ?? 0))}/s
        </Figure>
      )}
    </>
  );
}

function Figure({
  icon,
  label,
  wideOnly = false,
  children,
}: {
  icon: ReactNode;
  label: string;
  wideOnly?: boolean;
  children: ReactNode;
}) {
  return (
    <span className={wideOnly ? "fact__part fact--wide" : "fact__part"} title={label}>
      {icon}
      <span className="sr">{label}: </span>
      {children}
    </span>
  );
}
