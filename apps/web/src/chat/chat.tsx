import { hasEnded, type Run, type Session } from "@alcove/contract/api/run";
import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { ChevronDown } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { formatCost } from "../format/format.ts";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { useShortcut } from "../shell/shortcuts.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Arch } from "../ui/arch.tsx";
import { Empty } from "../ui/skeleton.tsx";
import { ToggleGroup } from "../ui/toggle-group.tsx";
import { Composer } from "./composer.tsx";
import { Turn } from "./turn.tsx";
import { useStickToEnd } from "./stick-to-end.ts";
import { wheres, type Where } from "./where.ts";

interface ChatProps {
  workspace: Workspace;
  session: Session | null;
  /** False while the list of conversations is still read. */
  known: boolean;
  openPath: (path: string) => void;
  onOtherAgent: () => void;
}

/** The conversation and its composer. */
export function Chat({ workspace, session, known, openPath, onOtherAgent }: ChatProps) {
  const runs = useQuery({ ...queries.sessionRuns(session?.id ?? ""), enabled: session !== null });
  const turns = useMemo(() => (session ? (runs.data?.items ?? []).toSorted(byAge) : []), [session, runs.data]);
  const shown = turns.filter((run) => !(run.state === "cancelled" && run.startedAt === null));
  const working =
    turns.find((run) => !hasEnded(run.state) && run.state !== "queued") ?? turns.find((run) => run.state === "queued");
  const { log, content, away, fresh, toEnd } = useStickToEnd();
  const [where, setWhere] = useState<Where>("here");

  const stop = useCallback(() => {
    if (working) void client.runs.cancel(working.id);
  }, [working]);
  useShortcut(
    "escape",
    (event) => {
      if (
        !working ||
        (event.target instanceof HTMLElement && event.target.closest(".xterm, .cm-editor, [role=dialog], [role=menu]"))
      )
        return false;
      stop();
      return true;
    },
    working !== undefined,
  );

  return (
    <section className="chat" id="pane-chat" aria-label="Conversation">
      <div className="chat__view">
        <div className="chat__log" ref={log} role="log" tabIndex={0} aria-label={session?.title ?? "New conversation"}>
          <div ref={content}>
            {known && session === null && <Begin workspace={workspace} where={where} setWhere={setWhere} />}
            {runs.isError && !runs.data && <FailureAlert failure={failureOf(runs.error)} />}
            {shown.map((run) => (
              <Turn key={run.id} run={run} openPath={openPath} />
            ))}
          </div>
        </div>
        {away && (
          <div className="chat__new">
            <button className="chip chip--float" type="button" onClick={toEnd}>
              <ChevronDown className="icon icon--s" /> {fresh > 0 ? `${fresh} new` : "To the end"}
            </button>
          </div>
        )}
      </div>
      <div className="chat__dock">
        <Composer
          key={session?.id ?? "new"}
          place={{ workspace: workspace.name, session }}
          where={session === null ? where : "here"}
          working={working ? { stop, agent: working.agent } : null}
          onSent={toEnd}
          onOtherAgent={onOtherAgent}
        />
      </div>
    </section>
  );
}

function Begin({
  workspace,
  where,
  setWhere,
}: {
  workspace: Workspace;
  where: Where;
  setWhere: (where: Where) => void;
}) {
  const awake = workspace.box === "running" || where !== "here";
  return (
    <div className="begin">
      <Empty
        mark={<Arch state={awake ? "idle" : "asleep"} />}
        title="Say what should be done"
        action={<ToggleGroup label="Where it is done" value={where} options={wheres} onChange={setWhere} />}
      >
        {wheres.find((other) => other.value === where)?.note(workspace.name)}
      </Empty>
    </div>
  );
}

/** The cost of a conversation so far, when it is known. */
export function costOf(runs: Run[]): string | null {
  const known = runs.filter((run) => run.costUsd !== null);
  return known.length === 0 ? null : formatCost(known.reduce((sum, run) => sum + (run.costUsd ?? 0), 0));
}

function byAge(a: Run, b: Run): number {
  return a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id);
}
