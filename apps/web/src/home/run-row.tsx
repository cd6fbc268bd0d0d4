import { hasEnded, type Run } from "@alcove/contract/api/run";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { baseName, formatAgo, formatClock, formatCost, plural } from "../format/format.ts";
import { queries } from "../live/queries.ts";
import { useNow } from "../shell/clock.ts";
import { Arch, type ArchState } from "../ui/arch.tsx";
import { Bot } from "../ui/avatar.tsx";

/** One run; the whole row is the link. */
export function RunRow({ run }: { run: Run }) {
  const live = !hasEnded(run.state);
  const now = useNow(1000, live && run.startedAt !== null);
  const agents = useQuery(queries.agents());
  const agent = agents.data?.items.find((other) => other.name === run.agent);
  const from = run.startedAt ?? run.createdAt;
  const elapsed = (run.endedAt ? Date.parse(run.endedAt) : now) - Date.parse(from);
  return (
    <Link className="run" to="/workspaces/$name" params={{ name: run.workspaceName }} search={{ session: run.session }}>
      <Arch state={archOfRun(run)} />
      <span className="run__text">
        <span className="cut strong">{run.title}</span>
        <span className="cut quiet">{noteOf(run)}</span>
      </span>
      <span className="run__who">
        <Bot monogram={agent?.monogram ?? run.agent.slice(0, 2)} />{" "}
        <span className="cut">{agent?.title ?? run.agent}</span>
      </span>
      <span
        className="run__num num"
        title={live ? "Time so far" : `Ended ${formatAgo(run.endedAt ?? run.createdAt, now)}`}
      >
        {run.state === "queued" ? "–" : formatClock(elapsed)}
      </span>
      <span className="run__num num">{run.costUsd === null ? "–" : formatCost(run.costUsd)}</span>
    </Link>
  );
}

/** The arch of a run. */
export function archOfRun(run: Run): ArchState {
  switch (run.state) {
    case "queued":
      return "idle";
    case "preparing":
    case "running":
      return "running";
    case "waiting":
      return "waiting";
    case "succeeded":
      return "done";
    case "failed":
    case "interrupted":
      return "failed";
    case "cancelled":
      return "asleep";
  }
}

function noteOf(run: Run): string {
  const files = run.files.filter((file) => file.change !== "deleted");
  switch (run.state) {
    case "queued":
      return `${run.workspaceName}, waits for its turn`;
    case "preparing":
      return `${run.workspaceName}, getting ready`;
    case "running":
      return run.workspaceName;
    case "waiting":
      return `${run.workspaceName}, waits for your answer`;
    case "cancelled":
      return `${run.workspaceName}, stopped by you`;
    case "failed":
    case "interrupted":
      return run.error?.detail ?? run.workspaceName;
    case "succeeded": {
      const [first] = files.filter((file) => file.deliverable);
      if (first)
        return files.length > 1
          ? `${baseName(first.path)} and ${plural(files.length - 1, "more file")}`
          : baseName(first.path);
      return files.length > 0 ? `${run.workspaceName}, ${plural(files.length, "file")}` : run.workspaceName;
    }
  }
}
