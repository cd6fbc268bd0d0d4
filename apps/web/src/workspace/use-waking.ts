import type { Workspace } from "@alcove/contract/api/workspace";
import { useEffect, useEffectEvent } from "react";
import { usePower } from "../computer/change.ts";

/** Opening a workspace wakes it, once while the component is shown: what falls asleep while its page is open stays asleep until somebody touches it. */
export function useWakeOnOpen(workspace: Workspace): void {
  const power = usePower(workspace);
  const wake = useEffectEvent(() => {
    const resting = workspace.state === "hibernated" || workspace.box === "frozen";
    if (resting && document.visibilityState === "visible") power.mutate("wake");
  });
  useEffect(() => wake(), []);
}
