import type { WorkspaceEvent } from "@alcove/contract/api/workspace-event";
import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Gauge, TriangleAlert } from "lucide-react";
import { useEffect, useEffectEvent, useRef } from "react";
import { toast } from "sonner";
import { queries } from "../live/queries.ts";
import { Button } from "../ui/button.tsx";
import { MachineText } from "../ui/machine-text.tsx";

/** Tells at once of a limit that was reached and of a box that ended, while the workspace is on the screen; Activity keeps both. */
export function TellHappenings({ workspace }: { workspace: Workspace }) {
  const events = useQuery(queries.workspaceEvents(workspace.id));
  const navigate = useNavigate({ from: "/workspaces/$name" });
  const seen = useRef<number | null>(null);

  const tell = useEffectEvent((items: readonly WorkspaceEvent[]) => {
    const before = seen.current;
    seen.current = Math.max(before ?? 0, ...items.map((event) => event.seq));
    if (before === null) return;
    const loud = items.filter(
      (event) => event.seq > before && (event.kind === "limit.reached" || event.kind === "box.died"),
    );
    for (const event of loud.toSorted((a, b) => a.seq - b.seq).slice(-3)) {
      toast.custom(
        (id) => (
          <div className="toast" role="status">
            {event.kind === "box.died" ? (
              <TriangleAlert className="icon is-failed" />
            ) : (
              <Gauge className="icon is-failed" />
            )}
            <span className="grow">
              <MachineText text={event.text} />
            </span>
            <Button
              size="sm"
              variant="ghost"
              onClick={() => {
                toast.dismiss(id);
                const part = event.kind === "box.died" ? ("activity" as const) : ("overview" as const);
                void navigate({ search: (old) => ({ ...old, pane: "computer" as const, part }) });
              }}
            >
              {event.kind === "box.died" ? "Activity" : "Limits"}
            </Button>
          </div>
        ),
        { duration: 12_000 },
      );
    }
  });
  useEffect(() => {
    if (events.data) tell(events.data.items);
  }, [events.data]);
  return null;
}
