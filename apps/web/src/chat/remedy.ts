import type { Run } from "@alcove/contract/api/run";
import { useMutation } from "@tanstack/react-query";
import { useStartRun } from "../shell/context.tsx";

export type Remedy = { act: "settings" | "again" | "continue"; label: string };

/** What helps a run that did not end well: fix the key, go on where it stopped, or ask again. */
export function remedyOf(run: Run): Remedy {
  const code = run.error?.code;
  if (code === "model_key_missing") return { act: "settings", label: "Connect a model" };
  if (code === "model_key_refused") return { act: "settings", label: "Enter another key" };
  if (code === "model_unreachable" && run.text === "") return { act: "again", label: "Try again" };
  if (run.state === "interrupted" || code === "agent_died") return { act: "continue", label: "Continue" };
  return { act: "again", label: "Try again" };
}

/** Does what the remedy says, in the same conversation. */
export function useRemedy(run: Run) {
  const start = useStartRun();
  return useMutation({
    mutationFn: () =>
      start({
        session: run.session,
        workspace: run.workspace,
        agent: run.agent,
        mode: run.mode,
        ...(run.model ? { model: run.model } : {}),
        prompt:
          remedyOf(run).act === "continue"
            ? "Continue where you stopped. First check what is already done."
            : run.prompt,
      }),
  });
}
