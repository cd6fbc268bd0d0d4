import type { Snapshot, Workspace } from "@alcove/contract/api/workspace";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { toast } from "sonner";
import { client } from "../live/client.ts";
import { failureOf } from "../ui/alert.tsx";
import { tellWithUndo, undoMs } from "../ui/undo-toast.tsx";

/** Snapshots that are gone from the page and deleted for good once the offer to take it back has passed, or the page is left. */
export function usePendingDeletions(workspace: Workspace) {
  const queryClient = useQueryClient();
  const [pending, setPending] = useState<ReadonlySet<string>>(new Set());
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  const offers = useRef(new Map<string, () => void>());

  const settle = (id: string) => {
    clearTimeout(timers.current.get(id));
    timers.current.delete(id);
    // What is done is not offered to be taken back.
    offers.current.get(id)?.();
    offers.current.delete(id);
  };
  const forget = (id: string) => {
    settle(id);
    setPending((old) => new Set([...old].filter((other) => other !== id)));
  };
  const carryOut = (id: string) => {
    settle(id);
    client.workspaces
      .deleteSnapshot(workspace.id, id)
      .catch((error: unknown) => toast(`The snapshot was not deleted: ${failureOf(error).detail}`))
      .then(() => queryClient.invalidateQueries({ queryKey: ["snapshots"] }))
      .then(() => forget(id))
      .catch(() => undefined);
  };
  const carryOutAll = useEffectEvent(() => {
    for (const id of timers.current.keys()) carryOut(id);
  });
  useEffect(() => () => carryOutAll(), []);

  return {
    pending,
    remove(snapshot: Snapshot) {
      setPending((old) => new Set([...old, snapshot.id]));
      timers.current.set(
        snapshot.id,
        setTimeout(() => carryOut(snapshot.id), undoMs),
      );
      offers.current.set(
        snapshot.id,
        tellWithUndo("Snapshot deleted", () => forget(snapshot.id)),
      );
    },
  };
}
