import { CodedError, isErrorCode } from "@alcove/contract/errors";
import { Worker } from "node:worker_threads";
import type { Operations, ThreadAnswer, ThreadCall } from "./serve-thread.ts";

/** A thread of this process that serves operations; see serve-thread.ts. One that has ended starts again with the next call. */
export interface Thread<O extends Operations> extends AsyncDisposable {
  /** Codes: the operation's own, `internal` where the thread ends meanwhile. */
  call<K extends keyof O & string>(operation: K, input: Parameters<O[K]>[0]): Promise<Awaited<ReturnType<O[K]>>>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** `name` is that of the thread's program without its ending; built, it lies beside the process's own. `data` is what the program finds as `workerData`. */
export function createThread<O extends Operations>(folder: string, name: string, data: unknown = null): Thread<O> {
  const waiting = new Map<number, Waiting>();
  let calls = 0;

  const fail = (ended: Worker, cause: unknown): void => {
    // It is told of twice, and another one may have started in between.
    if (thread !== ended) return;
    thread = undefined;
    for (const { reject } of waiting.values()) reject(new CodedError("internal", `The ${name} has ended`, { cause }));
    waiting.clear();
  };

  const start = (): Worker => {
    const isBuilt = !import.meta.url.endsWith(".ts");
    const file = isBuilt ? `./${name}.mjs` : `../${folder}/${name}.ts`;
    const started = new Worker(new URL(file, import.meta.url), { workerData: data });
    started.unref();
    started.on("message", (answer: ThreadAnswer) => {
      const call = waiting.get(answer.call);
      waiting.delete(answer.call);
      if (!("failure" in answer)) return call?.resolve(answer.value);
      const { code, detail, hint } = answer.failure;
      call?.reject(new CodedError(isErrorCode(code) ? code : "internal", detail, { hint }));
    });
    started.on("error", (error) => fail(started, error));
    started.on("exit", (status) => fail(started, new Error(`it ended with ${status}`)));
    return started;
  };

  // Before anybody waits for it.
  let thread: Worker | undefined = start();

  return {
    call(operation, input) {
      thread ??= start();
      const call = (calls += 1);
      return new Promise((resolve, reject) => {
        waiting.set(call, { resolve, reject });
        thread?.postMessage({ call, operation, input } satisfies ThreadCall, []);
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
