import { CodedError } from "@alcove/contract/errors";
import { boxHappeningSchema, type BoxHappening, type RuntimeName } from "@alcove/contract/host";
import type { WorkspaceId } from "@alcove/contract/ids";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { createHostClient } from "../../host/host-client.ts";
import type { BoxAddress, Runtime, StartedBox } from "../runtime.ts";
import { connectToBox } from "./connect-to-box.ts";
import { createFreezers } from "./freezers.ts";
import { waitForDaemon } from "./wait-for-daemon.ts";

/** A runtime of this machine: boxes that the host process at this socket starts, by crun or by Docker. It knows of each box how, so that only `create` says it. */
export function createMachineRuntime({ name, hostSocket }: { name: RuntimeName; hostSocket: string }): Runtime {
  const host = createHostClient({ hostSocket });
  const freezers = createFreezers();

  async function start(workspace: WorkspaceId, epoch: number, signal: AbortSignal): Promise<StartedBox> {
    const started = await host.call("box.start", { workspace, epoch }, signal);
    const stillRunning = async (): Promise<boolean> =>
      (await host.call("box.inspect", { workspace }, signal)).state === "running";
    try {
      await waitForDaemon({ address: started, stillRunning, signal });
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (cause instanceof CodedError && cause.code !== "workspace_start_failed") throw cause;
      const { text } = await host.call("box.log", { workspace, maxBytes: 2_000 }, signal);
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CodedError(
        "workspace_start_failed",
        text.trim() === "" ? reason : `${reason}. The end of its log: ${text.trim()}`,
        { cause },
      );
    }
    freezers.note(started);
    return started;
  }

  async function* happenings(after: number, signal: AbortSignal): AsyncGenerator<BoxHappening, void, undefined> {
    const answer = await host.stream("box.happenings", { after }, signal);
    try {
      for await (const line of createInterface({ input: answer }))
        if (line !== "") yield boxHappeningSchema.parse(JSON.parse(line));
    } finally {
      answer.destroy();
    }
    signal.throwIfAborted();
    throw new CodedError("host_unreachable", "The line to the host process broke");
  }

  return {
    name,
    happenings,
    capabilities: (signal) => host.call("runtime.capabilities", { runtime: name }, signal),
    async create(spec, signal) {
      await host.call("box.create", { runtime: name, ...spec }, signal);
    },
    async claim(wish, signal) {
      if (name !== "embedded") return null;
      const { claimed } = await host.call("box.claim", wish, signal);
      if (claimed) freezers.note(claimed.address);
      return claimed;
    },
    async keep(workspace, signal) {
      await host.call("box.keep", { workspace }, signal);
    },
    async update(spec, signal) {
      await host.call("box.update", spec, signal);
    },
    start,
    async stop(workspace, epoch, signal) {
      await host.call("box.stop", { workspace, epoch }, signal);
    },
    async freeze(workspace, signal) {
      await host.call("box.freeze", { workspace }, signal);
    },
    async thaw(workspace, signal) {
      if (!freezers.thaw(workspace)) await host.call("box.thaw", { workspace }, signal);
    },
    async destroy(workspace, signal) {
      await host.call("box.destroy", { workspace }, signal);
      freezers.forget(workspace);
    },
    async inspect(workspace, signal) {
      const state = await host.call("box.inspect", { workspace }, signal);
      if (state.state === "running") freezers.note(state.address);
      return state;
    },
    list: (signal) => host.call("box.list", {}, signal),
    log: async (workspace, maxBytes, signal) => (await host.call("box.log", { workspace, maxBytes }, signal)).text,
    dial,
  };
}

async function dial(address: BoxAddress, signal: AbortSignal): Promise<Duplex> {
  try {
    return await connectToBox(address.socket, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw new CodedError("workspace_unreachable", "Cannot reach the workspace: its box does not listen", { cause });
  }
}
