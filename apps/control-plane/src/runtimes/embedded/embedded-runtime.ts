import { CodedError } from "@alcove/contract/errors";
import { boxHappeningSchema, type BoxHappening } from "@alcove/contract/host";
import type { WorkspaceId } from "@alcove/contract/ids";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { createHostClient } from "../../host/host-client.ts";
import type { BoxAddress, Runtime } from "../runtime.ts";
import { waitForDaemon } from "./wait-for-daemon.ts";

/** The runtime of this machine: boxes started by the host process at this socket. */
export function createEmbeddedRuntime({ hostSocket }: { hostSocket: string }): Runtime {
  const host = createHostClient({ hostSocket });

  async function start(workspace: WorkspaceId, epoch: number, signal: AbortSignal): Promise<BoxAddress> {
    const address = await host.call("box.start", { workspace, epoch }, signal);
    const stillRunning = async (): Promise<boolean> =>
      (await host.call("box.inspect", { workspace }, signal)).state === "running";
    try {
      await waitForDaemon({ address, stillRunning, signal });
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
    return address;
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
    name: "embedded",
    happenings,
    capabilities: (signal) => host.call("runtime.capabilities", {}, signal),
    async create(spec, signal) {
      await host.call("box.create", spec, signal);
    },
    claim: async (wish, signal) => (await host.call("box.claim", wish, signal)).claimed,
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
      await host.call("box.thaw", { workspace }, signal);
    },
    async destroy(workspace, signal) {
      await host.call("box.destroy", { workspace }, signal);
    },
    inspect: (workspace, signal) => host.call("box.inspect", { workspace }, signal),
    list: (signal) => host.call("box.list", {}, signal),
    log: async (workspace, maxBytes, signal) => (await host.call("box.log", { workspace, maxBytes }, signal)).text,
    dial,
  };
}

async function dial(address: BoxAddress, signal: AbortSignal): Promise<Duplex> {
  signal.throwIfAborted();
  const socket = connect({ path: address.socket, allowHalfOpen: true });
  try {
    await once(socket, "connect", { signal });
    return socket;
  } catch (cause) {
    socket.destroy();
    signal.throwIfAborted();
    throw new CodedError("workspace_unreachable", "Cannot reach the workspace: its box does not listen", { cause });
  }
}
