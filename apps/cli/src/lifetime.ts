import type { Lifetime } from "@alcove/contract/api/lifetime";
import type { Client } from "@alcove/sdk/client";
import { type Command, InvalidArgumentError } from "commander";
import type { Terminal } from "./terminal.ts";

/** Milliseconds, `never`, or what the server does where nothing is said. */
type Wished = number | "never" | "default";
export type LifetimeOptions = {
  freezeAfter?: Wished;
  stopAfter?: Wished;
  deleteAfter?: Wished;
  keepAlive?: boolean;
};

/** `alcove ws lifetime`: when a workspace sleeps, and when it is deleted. */
export function addLifetimeCommand(ws: Command, client: () => Promise<Client>, terminal: Terminal): void {
  ws.command("lifetime")
    .description("print or change when a workspace sleeps and when it is deleted; times as in 90s, 30m, 4h, 7d")
    .argument("<workspace>", "name or id")
    .option("--freeze-after <time>", "idle for so long: it uses no processor; or never, default", readWish)
    .option("--stop-after <time>", "idle for so long: it uses no memory; or never, default", readWish)
    .option("--delete-after <time>", "so long after its creation it is deleted with all its files; or never", readWish)
    .option("--keep-alive", "never freeze or stop it for being idle, and start it again when its box ends")
    .option("--no-keep-alive", "let it sleep")
    .option("--json", "print JSON", false)
    .action(async (name: string, { json, ...options }: LifetimeOptions & { json: boolean }) => {
      const { workspaces } = await client();
      let workspace = await workspaces.get(name);
      if (Object.keys(options).length > 0)
        workspace = await workspaces.update(name, { lifetime: changeLifetime(workspace.lifetime, options) });
      const { lifetime, createdAt } = workspace;
      terminal.write(json ? `${JSON.stringify(lifetime)}\n` : describeLifetime(lifetime, new Date(createdAt)));
    });
}

/** The lifetime with what the options say in its place. */
export function changeLifetime(before: Lifetime, options: LifetimeOptions): Lifetime {
  const { freezeAfter, stopAfter, deleteAfter, keepAlive } = options;
  const next: Lifetime = { ...before };
  const wishes = { freezeAfterMs: freezeAfter, stopAfterMs: stopAfter, deleteAfterMs: deleteAfter } as const;
  for (const key of ["freezeAfterMs", "stopAfterMs", "deleteAfterMs"] as const) {
    const wish = wishes[key];
    if (wish === "default") delete next[key];
    else if (wish !== undefined) next[key] = wish === "never" ? null : wish;
  }
  if (keepAlive !== undefined) next.keepAlive = keepAlive;
  return next;
}

export function describeLifetime(lifetime: Lifetime, createdAt: Date): string {
  const { freezeAfterMs, stopAfterMs, deleteAfterMs, keepAlive = false } = lifetime;
  const idle = (ms: number | null | undefined) => {
    if (keepAlive || ms === null) return "never";
    return ms === undefined ? "as the server does" : formatDuration(ms);
  };
  const deletion =
    deleteAfterMs === null || deleteAfterMs === undefined
      ? "never"
      : `${formatDuration(deleteAfterMs)}, on ${new Date(createdAt.getTime() + deleteAfterMs).toISOString()}`;
  return [
    `freeze after  ${idle(freezeAfterMs)}`,
    `stop after    ${idle(stopAfterMs)}`,
    `delete after  ${deletion}`,
    `keep alive    ${keepAlive ? "yes" : "no"}`,
    "",
  ].join("\n");
}

const units = new Map([
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
]);

function readWish(text: string): Wished {
  return text === "never" || text === "default" ? text : readDuration(text);
}

/** Milliseconds of `90s`, `30m`, `4h`, `7d`, and of some together: `1h30m`. */
export function readDuration(text: string): number {
  if (!/^(?:\d+(?:\.\d+)?[dhms])+$/.test(text))
    throw new InvalidArgumentError("It is a time as in 90s, 30m, 4h or 7d, or never, or default.");
  let sum = 0;
  for (const [, number, unit = ""] of text.matchAll(/([\d.]+)([dhms])/g))
    sum += Number(number) * (units.get(unit) ?? 0);
  return Math.round(sum);
}

function formatDuration(ms: number): string {
  let rest = ms;
  let text = "";
  for (const [name, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${name}`;
  }
  return text === "" ? `${ms}ms` : text;
}
