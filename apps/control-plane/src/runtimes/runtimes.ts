import { CodedError } from "@alcove/contract/errors";
import type { RuntimeName } from "@alcove/contract/host";
import { createMachineRuntime } from "./machine/machine-runtime.ts";
import type { Runtime } from "./runtime.ts";

/** The runtimes of this server by name. */
export interface Runtimes {
  readonly embedded: Runtime;
  readonly docker: Runtime;
  /** Those that can be used, as they were seen within the last few seconds. */
  usable(signal: AbortSignal): Promise<readonly RuntimeName[]>;
  /** Gives `runtime_unavailable` with the names of those that can be used. */
  requireUsable(name: RuntimeName, signal: AbortSignal): Promise<void>;
}

const seenMs = 10_000;

export function createRuntimes({ hostSocket }: { hostSocket: string }): Runtimes {
  const embedded = createMachineRuntime({ name: "embedded", hostSocket });
  const docker = createMachineRuntime({ name: "docker", hostSocket });
  let seen: { at: number; names: RuntimeName[] } | undefined;
  return {
    embedded,
    docker,
    async usable(signal) {
      if (seen && Date.now() - seen.at < seenMs) return seen.names;
      const names: RuntimeName[] = [];
      for (const [name, runtime] of [["embedded", embedded] as const, ["docker", docker] as const])
        if ((await runtime.capabilities(signal)).usable) names.push(name);
      seen = { at: Date.now(), names };
      return names;
    },
    async requireUsable(name, signal) {
      const known = await Promise.all(
        [embedded, docker].map(async (runtime) => ({ name: runtime.name, ...(await runtime.capabilities(signal)) })),
      );
      const wanted = known.find((runtime) => runtime.name === name);
      if (wanted?.usable) return;
      const usable = known.filter((runtime) => runtime.usable).map((runtime) => `"${runtime.name}"`);
      const gap = wanted?.findings.find(({ level }) => level !== "ok") ?? wanted?.findings[0];
      throw new CodedError(
        "runtime_unavailable",
        `Cannot make the workspace on runtime "${name}": ${gap?.detail ?? "it is not here."} This server has ${usable.join(" and ") || "none that works"}.`,
        gap?.remedy ? { hint: `Run \`${gap.remedy}\` on the server.` } : {},
      );
    },
  };
}
