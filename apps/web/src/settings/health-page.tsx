import type { Finding, System } from "@alcove/contract/api/account";
import { useQuery } from "@tanstack/react-query";
import { Check, CircleMinus, RefreshCw, TriangleAlert } from "lucide-react";
import { countWord, formatBytes } from "../format/format.ts";
import { queries } from "../live/queries.ts";
import { usePageTitle } from "../shell/page-title.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Copyable } from "../ui/copyable.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";

/** What this server can and cannot do, and the command that would mend it. */
export function HealthPage() {
  usePageTitle("Health");
  const system = useQuery({
    ...queries.system(),
    refetchInterval: (query) => (query.state.data?.template.state === "building" ? 3_000 : false),
  });
  return (
    <>
      <header className="settings__head">
        <h1>Health</h1>
        <p className="soft">{system.data ? summary(system.data) : " "}</p>
      </header>
      {system.isPending && <SkeletonRows rows={5} />}
      {system.isError && !system.data && <FailureAlert failure={failureOf(system.error)} />}
      {system.data && <Findings system={system.data} />}
      {system.data && <Headroom system={system.data} />}
      {system.data && (
        <section className="section" aria-labelledby="about">
          <div className="section__head">
            <h2 id="about">This server</h2>
          </div>
          <dl className="group facts">
            <div>
              <dt>Version</dt>
              <dd className="num">{system.data.version}</dd>
            </div>
            <div>
              <dt>Address</dt>
              <dd>{system.data.address}</dd>
            </div>
            <div>
              <dt>Data directory</dt>
              <dd>
                <code>{system.data.dataDirectory}</code>
              </dd>
            </div>
            <div>
              <dt>Template of workspaces</dt>
              <dd>{system.data.template.detail}</dd>
            </div>
          </dl>
        </section>
      )}
      <div className="btns">
        <Button aria-busy={system.isFetching} onClick={() => void system.refetch()}>
          <RefreshCw className="icon" /> Look again
        </Button>
      </div>
    </>
  );
}

/** What is left of the server's machine. */
function Headroom({ system: { load, findings } }: { system: System }) {
  const isTight = (of: "memory" | "disk") => findings.some(({ id, level }) => id === of && level !== "ok");
  return (
    <section className="section" aria-labelledby="headroom">
      <div className="section__head">
        <h2 id="headroom">Headroom</h2>
        <span className="quiet">when it gets tight, idle workspaces sleep first</span>
      </div>
      <dl className="group facts">
        <Left label="Memory" free={load.memoryAvailableBytes} total={load.memoryTotalBytes} tight={isTight("memory")} />
        <Left label="Disk" free={load.diskFreeBytes} total={load.diskTotalBytes} tight={isTight("disk")} />
      </dl>
    </section>
  );
}

function Left({ label, free, total, tight }: { label: string; free: number; total: number; tight: boolean }) {
  const used = total === 0 ? 0 : Math.round(((total - free) / total) * 100);
  return (
    <div>
      <dt>{label}</dt>
      <dd className="headroom">
        <span className={tight ? "num is-waiting" : "num"}>
          {formatBytes(free)} free of {formatBytes(total)}
        </span>
        <span
          className={tight ? "meter meter--tight" : "meter"}
          role="meter"
          aria-label={`${label} used`}
          aria-valuenow={used}
          aria-valuemin={0}
          aria-valuemax={100}
          style={{ "--at": used }}
        >
          <i />
        </span>
      </dd>
    </div>
  );
}

function summary({ findings }: System): string {
  const broken = findings.filter((finding) => finding.level === "broken").length;
  const missing = findings.filter((finding) => finding.level === "missing").length;
  if (broken > 0) return `${countWord(broken)} ${broken === 1 ? "thing does" : "things do"} not work.`;
  if (missing > 0)
    return `Everything works. ${countWord(missing)} ${missing === 1 ? "thing" : "things"} could be better.`;
  return "Everything works.";
}

const order = { broken: 0, missing: 1, ok: 2 } as const;

function Findings({ system }: { system: System }) {
  const findings = system.findings.toSorted((a, b) => order[a.level] - order[b.level]);
  return (
    <ul className="group">
      {findings.map((finding) => (
        <li className="finding" key={finding.id}>
          <Level level={finding.level} />
          <div className="grow">
            <b className="strong">{finding.title}</b>
            {!saysTheSame(finding.detail, finding.title) && <p className="soft">{finding.detail}</p>}
            {finding.remedy && <Copyable text={finding.remedy} label={`the command for: ${finding.title}`} />}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** True for a detail that only repeats the title, whatever its case and full stop. */
function saysTheSame(detail: string, title: string): boolean {
  const plain = (text: string) =>
    text
      .trim()
      .replace(/[.!]+$/, "")
      .toLowerCase();
  return plain(detail) === plain(title) || plain(detail) === "";
}

function Level({ level }: { level: Finding["level"] }) {
  switch (level) {
    case "ok":
      return <Check className="icon" aria-label="Works" />;
    case "missing":
      return <CircleMinus className="icon is-waiting" aria-label="Missing" />;
    case "broken":
      return <TriangleAlert className="icon is-failed" aria-label="Broken" />;
  }
}
