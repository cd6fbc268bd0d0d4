import type { Session } from "@alcove/contract/api/run";
import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { Cpu, HardDrive, MemoryStick, Plug } from "lucide-react";
import { costOf } from "../chat/chat.tsx";
import { formatBytes } from "../format/format.ts";
import { archOf } from "../home/overview.ts";
import { useOverview } from "../home/use-overview.ts";
import { queries } from "../live/queries.ts";
import { Arch } from "../ui/arch.tsx";
import { whyOf } from "./why.ts";

/** Facts about the workspace, always in the same order. */
export function StatusBar({ workspace, session }: { workspace: Workspace; session: Session | null }) {
  const overview = useOverview();
  const runs = useQuery({ ...queries.sessionRuns(session?.id ?? ""), enabled: session !== null });
  const agents = useQuery(queries.agents());
  const state = archOf(workspace, overview);
  const tone =
    state === "waiting" ? "is-waiting" : state === "failed" ? "is-failed" : state === "running" ? "is-running" : "";
  const { usage, limits } = workspace;
  const cost = session ? costOf(runs.data?.items ?? []) : null;
  const agent = agents.data?.items.find((other) => other.name === session?.agent)?.title;
  const ports = workspace.ports.map((port) => port.port);
  return (
    <footer className="statusbar" aria-label="Workspace status">
      <span className={`fact ${tone}`}>
        <Arch state={state} /> <span className="cut">{whyOf(workspace, overview, agents.data?.items ?? [])}</span>
      </span>
      {workspace.rootfs === "host" && (
        <span
          className="fact fact--spare quiet"
          title="The workspace uses the server's own system files until its template is built"
        >
          system files of the server
        </span>
      )}
      <span className="grow" />
      {typeof usage?.cpuPercent === "number" && (
        <span className="fact fact--spare">
          <Cpu className="icon" /> {Math.round(usage.cpuPercent)} %
          {limits.cpus ? ` of ${limits.cpus} ${limits.cpus === 1 ? "core" : "cores"}` : ""}
        </span>
      )}
      {typeof usage?.memoryBytes === "number" && (
        <span className="fact fact--spare">
          <MemoryStick className="icon" /> {formatBytes(usage.memoryBytes)}
          {limits.memoryBytes ? ` of ${formatBytes(limits.memoryBytes)}` : ""}
        </span>
      )}
      {typeof usage?.diskBytes === "number" && (
        <span className="fact fact--spare">
          <HardDrive className="icon" /> {formatBytes(usage.diskBytes)}
          {limits.diskBytes ? ` of ${formatBytes(limits.diskBytes)}` : ""}
        </span>
      )}
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
