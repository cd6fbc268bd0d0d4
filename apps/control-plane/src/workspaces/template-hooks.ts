import { boxExecLineSchema } from "@alcove/contract/box/exec";
import type { BoxClient } from "../box/box-client.ts";
import type { ImageRoot } from "../database/schema.ts";
import type { Log } from "../log/log.ts";

const longestMs = 3_600_000;

/** What a devcontainer.json has a new workspace do, and each start; what was not done to its end is done again at the next start. Output is in the workspace. */
export async function runTemplateHooks(
  box: BoxClient,
  { onCreate, onStart }: Pick<ImageRoot, "onCreate" | "onStart">,
  log: Log,
): Promise<void> {
  if (onCreate.length + onStart.length === 0) return;
  const body = JSON.stringify({ command: ["sh", "-c", hookScript(onCreate, onStart)], timeoutMs: longestMs });
  const headers = { "content-type": "application/json" };
  const signal = AbortSignal.timeout(longestMs);
  try {
    for await (const line of box.lines(boxExecLineSchema, { method: "POST", path: "/v1/exec", headers, body, signal }))
      if (line.kind === "exit" && line.exitCode !== 0)
        log.info({ exitCode: line.exitCode }, "a command of the workspace's template failed");
  } catch (error) {
    log.info({ err: error }, "commands of the workspace's template did not end well");
  }
}

/** In `~/.config/alcove` a mark tells that all of `onCreate` was done. */
export function hookScript(onCreate: readonly string[], onStart: readonly string[]): string {
  const each = (commands: readonly string[]) =>
    commands.map((command) => `(cd "$projects" || exit\n${command}\n) &&`).join("\n");
  return [
    'state="$HOME/.config/alcove"; projects=/workspace/user/projects',
    'mkdir -p "$state" "$projects"',
    'exec >> "$state/template.log" 2>&1',
    'if [ ! -e "$state/template-created" ]; then',
    each(onCreate),
    ': > "$state/template-created" || exit',
    "fi",
    each(onStart),
    ":",
  ].join("\n");
}
