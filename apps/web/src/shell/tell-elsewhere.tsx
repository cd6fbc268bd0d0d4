import { hasEnded, type Run } from "@alcove/contract/api/run";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { toast } from "sonner";
import { queries } from "../live/queries.ts";
import { Button } from "../ui/button.tsx";
import { Arch } from "../ui/arch.tsx";

/** Tells of runs that end in a workspace that is not on the screen. */
export function TellElsewhere() {
  const runs = useQuery(queries.recentRuns());
  const { name } = useParams({ strict: false });
  const navigate = useNavigate();
  const busy = useRef<Set<string> | null>(null);

  useEffect(() => {
    if (!runs.data) return;
    const before = busy.current;
    busy.current = new Set(runs.data.items.filter((run) => !hasEnded(run.state)).map((run) => run.id));
    const ended = runs.data.items.filter(
      (run) => before?.has(run.id) && hasEnded(run.state) && run.state !== "cancelled",
    );
    for (const run of ended) {
      if (run.workspaceName === name && !document.hidden) continue;
      toast.custom((id) => (
        <RunToast
          run={run}
          onOpen={() => {
            toast.dismiss(id);
            void navigate({
              to: "/workspaces/$name",
              params: { name: run.workspaceName },
              search: { session: run.session },
            });
          }}
        />
      ));
    }
  }, [runs.data, name, navigate]);
  return null;
}

function RunToast({ run, onOpen }: { run: Run; onOpen: () => void }) {
  const done = run.state === "succeeded";
  return (
    <div className="toast">
      <Arch state={done ? "done" : "failed"} />
      <span className="grow">
        <b className="strong">{run.title}</b> {done ? "is finished" : "stopped"}
      </span>
      <Button size="sm" variant="ghost" onClick={onOpen}>
        Open
      </Button>
    </div>
  );
}
