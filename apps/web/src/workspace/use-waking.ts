import type { Workspace } from "@alcove/contract/api/workspace";
import { useEffect, useEffectEvent } from "react";
import { usePower } from "../computer/change.ts";

/** Opening a workspace wakes it, once while the component is shown: what falls asleep meanwhile stays asleep until somebody touches it. */
export function useWakeOnOpen(workspace: Workspace): void {
  const power = usePower(workspace);
  const wake = useEffectEvent(() => {
    const resting = workspace.state === "hibernated" || workspace.box === "frozen";
    if (resting && document.visibilityState === "visible") power.mutate("wake");
  });
  useEffect(() => wake(), []);
}

/** A frozen workspace looks as it did: the first click or key in it brings it back. Undefined while there is nothing to wake. */
export function useWakeOnTouch(workspace: Workspace): (() => void) | undefined {
  const power = usePower(workspace);
  if (workspace.box !== "frozen") return undefined;
  return () => {
    if (!power.isPending) power.mutate("wake");
  };
}
