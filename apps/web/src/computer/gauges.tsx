import type { Workspace } from "@alcove/contract/api/workspace";
import { ArrowDown, ArrowUp, Cpu, HardDrive, MemoryStick, Network } from "lucide-react";
import type { ReactNode } from "react";
import { formatBytes } from "../format/format.ts";
import { Sparkline } from "./sparkline.tsx";
import type { UsagePoint } from "./usage-history.ts";
import { useUsageHistory } from "./use-usage-history.ts";

/** What the workspace uses now, and in the last two minutes. */
export function Gauges({ workspace }: { workspace: Workspace }) {
  const history = useUsageHistory(workspace);
  const { usage, limits } = workspace;
  if (!usage || workspace.box === "none" || workspace.box === "failed") {
    const disk = usage?.diskBytes ?? null;
    return (
      <p className="quiet">
        It uses no processor and no memory now{disk === null ? "." : `; its files take ${formatBytes(disk)} of disk.`}
      </p>
    );
  }
  const memoryTop = limits.memoryBytes ?? topOf(history, (point) => point.memoryBytes, 64 * 2 ** 20);
  const cpuTop = limits.cpus ? limits.cpus * 100 : topOf(history, (point) => point.cpuPercent, 100);
  const networkTop = topOf(history, (point) => Math.max(point.inPerSecond ?? 0, point.outPerSecond ?? 0), 4096);
  const last = history.at(-1);
  return (
    <div className="group gauges">
      <Gauge
        icon={<Cpu className="icon" />}
        label="Processor"
        figure={usage.cpuPercent === null ? "–" : `${Math.round(usage.cpuPercent)} %`}
        limit={limits.cpus === undefined ? null : `of ${limits.cpus} ${limits.cpus === 1 ? "core" : "cores"}`}
        used={limits.cpus && usage.cpuPercent !== null ? usage.cpuPercent / limits.cpus : null}
      >
        <Sparkline values={history.map((point) => point.cpuPercent)} top={cpuTop} />
      </Gauge>
      <Gauge
        icon={<MemoryStick className="icon" />}
        label="Memory"
        figure={usage.memoryBytes === null ? "–" : formatBytes(usage.memoryBytes)}
        limit={limits.memoryBytes === undefined ? null : `of ${formatBytes(limits.memoryBytes)}`}
        used={percentOf(usage.memoryBytes, limits.memoryBytes)}
      >
        <Sparkline values={history.map((point) => point.memoryBytes)} top={memoryTop} />
      </Gauge>
      <Gauge
        icon={<HardDrive className="icon" />}
        label="Disk"
        figure={usage.diskBytes === null ? "–" : formatBytes(usage.diskBytes)}
        limit={limits.diskBytes === undefined ? null : `of ${formatBytes(limits.diskBytes)}`}
        used={percentOf(usage.diskBytes, limits.diskBytes)}
      >
        <Sparkline
          values={history.map((point) => point.diskBytes)}
          top={limits.diskBytes ?? topOf(history, (point) => point.diskBytes, 2 ** 20)}
        />
      </Gauge>
      <Gauge
        icon={<Network className="icon" />}
        label="Network"
        figure={<Rate word="In" icon={<ArrowDown className="icon icon--xs" />} perSecond={last?.inPerSecond ?? null} />}
        limit={<Rate word="Out" icon={<ArrowUp className="icon icon--xs" />} perSecond={last?.outPerSecond ?? null} />}
        used={null}
        note={
          usage.networkInBytes === null || usage.networkOutBytes === null
            ? "Not counted on this host"
            : `${formatBytes(usage.networkInBytes)} in, ${formatBytes(usage.networkOutBytes)} out since it started`
        }
      >
        <Sparkline
          values={history.map((point) => point.inPerSecond)}
          second={history.map((point) => point.outPerSecond)}
          top={networkTop}
        />
      </Gauge>
    </div>
  );
}

function Rate({ word, icon, perSecond }: { word: string; icon: ReactNode; perSecond: number | null }) {
  return (
    <span className="rate">
      <span className="sr">{word}: </span>
      {icon}
      {perSecond === null ? "–" : `${formatBytes(Math.round(perSecond))}/s`}
    </span>
  );
}

function topOf(history: readonly UsagePoint[], pick: (point: UsagePoint) => number | null, least: number): number {
  return Math.max(least, ...history.map((point) => (pick(point) ?? 0) * 1.2));
}

function percentOf(value: number | null, limit: number | undefined): number | null {
  return value === null || limit === undefined ? null : (value / limit) * 100;
}

function Gauge({
  icon,
  label,
  figure,
  limit,
  used,
  note,
  children,
}: {
  icon: ReactNode;
  label: string;
  figure: ReactNode;
  limit: ReactNode;
  /** Per cent of the limit. */
  used: number | null;
  note?: string;
  children: ReactNode;
}) {
  const at = used === null ? null : Math.min(100, Math.max(0, used));
  return (
    <div className={at !== null && at >= 90 ? "gauge gauge--full" : "gauge"}>
      <div className="gauge__head">
        {icon}
        <span className="soft">{label}</span>
        <span className="grow" />
        <b className="strong num">{figure}</b>
        {limit && <span className="quiet num">{limit}</span>}
      </div>
      {children}
      {at !== null ? (
        <span
          className="meter"
          role="meter"
          aria-label={`${label} used`}
          aria-valuenow={Math.round(at)}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuetext={`${Math.round(at)} % of the limit`}
          style={{ "--at": at }}
        >
          <i />
        </span>
      ) : (
        <span className="quiet gauge__note">{note ?? (limit === null ? "No limit of its own" : "")}</span>
      )}
    </div>
  );
}
