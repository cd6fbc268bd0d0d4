import { CodedError } from "@alcove/contract/errors";
import { Worker } from "node:worker_threads";
import { z } from "zod";

export type SocketWish = { kind: "tcp" | "udp"; address: string; port: number };
export type WantedSockets = { call: number; namespace: number; sockets: SocketWish[] };

const openedSchema = z.union([
  z.object({ call: z.number(), descriptors: z.array(z.number()) }),
  z.object({ call: z.number(), failure: z.string() }),
]);
export type OpenedSockets = z.infer<typeof openedSchema>;

type Waiting = { resolve: (descriptors: number[]) => void; reject: (error: Error) => void };

/** Opens IPv4 sockets of this process inside other network namespaces; see socket-thread.ts. */
export function createNamespaceSockets() {
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let thread: Worker | undefined;

  const fail = (cause: unknown): void => {
    thread = undefined;
    for (const { reject } of waiting.values())
      reject(new CodedError("internal", "Cannot open sockets in a workspace's network", { cause }));
    waiting.clear();
  };

  const startThread = (): Worker => {
    const started = new Worker(new URL(threadFile, import.meta.url));
    started.unref();
    started.on("message", (message: unknown) => {
      const opened = openedSchema.parse(message);
      const call = waiting.get(opened.call);
      waiting.delete(opened.call);
      if ("descriptors" in opened) return call?.resolve(opened.descriptors);
      call?.reject(new CodedError("internal", `Cannot open sockets in a workspace's network: ${opened.failure}`));
    });
    started.on("error", fail);
    started.on("exit", (code) => fail(new Error(`its thread ended with ${code}`)));
    return started;
  };

  return {
    /**
     * Brings the loopback up in the namespace of which a descriptor is given, and gives descriptors of sockets bound in it, listening where they are of TCP. The caller
     * closes them. Code: `internal`.
     */
    open(namespace: number, sockets: SocketWish[]): Promise<number[]> {
      thread ??= startThread();
      calls += 1;
      const call = calls;
      return new Promise((resolve, reject) => {
        waiting.set(call, { resolve, reject });
        thread?.postMessage({ call, namespace, sockets } satisfies WantedSockets, []);
      });
    },
    async [Symbol.asyncDispose](): Promise<void> {
      const ending = thread;
      thread = undefined;
      ending?.removeAllListeners();
      await ending?.terminate();
    },
  };
}

/** Built, the thread's program lies beside this one under the name that tools/build gives it. */
const threadFile = import.meta.url.endsWith(".ts") ? "./socket-thread.ts" : "./socket-thread.mjs";
