import { CodedError } from "@alcove/contract/errors";
import { parentPort } from "node:worker_threads";

/** What a thread does when it is asked; input and output are copied (structured clone). */
export type Operations = Record<string, (input: never) => unknown>;

export type ThreadCall = { call: number; operation: string; input: unknown };
type Failure = { code: string; detail: string; hint: string | undefined };
export type ThreadAnswer = { call: number; value: unknown } | { call: number; failure: Failure };

/**
 * Serves the operations from a thread, each as soon as it is asked for. Threads that live in namespaces of their own do nothing that Bun hands to its common pool (no
 * asynchronous files, no pipes to programs, no look-ups of names): a thread of the pool that is started here would stay in those namespaces.
 */
export function serveThread(operations: Operations): void {
  const answer = (message: ThreadAnswer): void => parentPort?.postMessage(message, []);
  parentPort?.on("message", ({ call, operation: name, input }: ThreadCall) => {
    const operation = operations[name];
    if (operation === undefined) throw new Error(`there is no operation "${name}"`);
    const perform = async (): Promise<unknown> => Reflect.apply(operation, undefined, [input]);
    perform().then(
      (value) => answer({ call, value }),
      (error: unknown) => answer({ call, failure: failureOf(error) }),
    );
  });
}

function failureOf(error: unknown): Failure {
  const detail = error instanceof Error ? error.message : String(error);
  return error instanceof CodedError
    ? { code: error.code, detail, hint: error.hint }
    : { code: "internal", detail, hint: undefined };
}
