import { parseUplinkLine, uplinkPingMs } from "@alcove/contract/box/raw";
import { linesOf, type BoxClient } from "../box/box-client.ts";
import { pause } from "../events/wake.ts";
import type { Log } from "../log/log.ts";
import type { ModelGateway } from "./model-gateway.ts";

/**
 * Keeps the way from inside a box to the model gateway open: the daemon announces each connection that waits, and we fetch it. Reconnects
 * until the signal aborts; never rejects.
 */
export async function keepUplink(parts: {
  box: () => Promise<BoxClient>;
  gateway: ModelGateway;
  workspace: string;
  signal: AbortSignal;
  log: Log;
}): Promise<void> {
  const { gateway, workspace, signal, log } = parts;

  const fetchStream = async (box: BoxClient, stream: string) => {
    try {
      gateway.serve(await box.raw({ verb: "stream", stream }, signal), workspace);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, workspace }, "a connection of the box was lost");
    }
  };

  const hold = async () => {
    const box = await parts.box();
    const uplink = await box.raw({ verb: "uplink" }, signal);
    const close = () => uplink.destroy();
    signal.addEventListener("abort", close);
    let silence = setTimeout(close, uplinkPingMs * 3);
    try {
      for await (const line of linesOf(uplink)) {
        silence.refresh();
        const message = parseUplinkLine(line);
        if (message && "open" in message) void fetchStream(box, message.open);
      }
    } finally {
      clearTimeout(silence);
      signal.removeEventListener("abort", close);
      uplink.destroy();
    }
  };

  while (!signal.aborted) {
    try {
      await hold();
    } catch (error) {
      if (!signal.aborted) log.debug({ err: error, workspace }, "the uplink broke");
    }
    await pause(200, signal);
  }
}
