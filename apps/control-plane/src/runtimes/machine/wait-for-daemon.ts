import { CodedError } from "@alcove/contract/errors";
import type { BoxAddress } from "@alcove/contract/host";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { connectToBox } from "./connect-to-box.ts";

/** A compiled daemon answers after tens of milliseconds; a machine under heavy load needs seconds, never this long. */
const deadlineMs = 20_000;
const pauseMs = 25;

/**
 * Resolves when the daemon at the address answers /v1/health with the address's epoch. The kernel queues connections from before the daemon runs, so one
 * request normally waits for exactly as long as needed; it is sent again when the daemon dies meanwhile. Code: `workspace_start_failed`.
 */
export async function waitForDaemon(options: {
  address: BoxAddress;
  stillRunning: () => Promise<boolean>;
  signal: AbortSignal;
}): Promise<void> {
  const { address, stillRunning } = options;
  const deadline = AbortSignal.timeout(deadlineMs);
  const signal = AbortSignal.any([options.signal, deadline]);
  for (;;) {
    const answer = await askHealth(address, signal).catch((cause: unknown) => ({ cause }));
    if (!("cause" in answer)) {
      if (answer.epoch === address.epoch) return;
      throw new CodedError(
        "epoch_stale",
        `Cannot start the workspace: its box answers with epoch ${answer.epoch}, not ${address.epoch}`,
      );
    }
    options.signal.throwIfAborted();
    if (deadline.aborted) {
      throw new CodedError(
        "workspace_start_failed",
        `Cannot start the workspace: its daemon did not answer within ${deadlineMs / 1000} s`,
        { cause: answer.cause },
      );
    }
    if (!(await stillRunning()))
      throw new CodedError("workspace_start_failed", "Cannot start the workspace: its first process ended", {
        cause: answer.cause,
      });
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

async function askHealth(address: BoxAddress, signal: AbortSignal): Promise<{ epoch: number }> {
  const socket = await connectToBox(address.socket, signal);
  return new Promise<{ epoch: number }>((resolve, reject) => {
    const outgoing = request(
      { createConnection: () => socket, path: "/v1/health", headers: { host: "box", connection: "close" }, signal },
      (answer) => {
        const parts: Buffer[] = [];
        let size = 0;
        answer.on("data", (part: Buffer) => {
          size += part.length;
          if (size > 65_536) answer.destroy(new Error("the daemon's answer is too long"));
          parts.push(part);
        });
        answer.on("error", reject);
        answer.on("end", () => {
          const epoch = answer.statusCode === 200 ? readEpoch(Buffer.concat(parts).toString("utf8")) : undefined;
          if (epoch === undefined)
            return reject(new Error(`the daemon answered ${answer.statusCode} without an epoch`));
          resolve({ epoch });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  }).finally(() => socket.destroy());
}

/** A box is not trusted: only the one number that is needed is taken from its answer. */
function readEpoch(json: string): number | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== "object" || value === null || !("epoch" in value)) return undefined;
    return typeof value.epoch === "number" ? value.epoch : undefined;
  } catch {
    return undefined;
  }
}
