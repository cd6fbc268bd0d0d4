import type { RequestPermissionOutcome, RequestPermissionRequest } from "@agentclientprotocol/sdk";
import type { JournalBody, RunSpec } from "@alcove/contract/box/run";
import { CodedError } from "@alcove/contract/errors";
import { isRecord } from "../http/body.ts";

/** The questions of one run. */
export interface Permissions {
  /** Waits for the answer to an agent's question; in mode `process` it is allowed at once and nobody is asked. */
  ask(request: RequestPermissionRequest): Promise<RequestPermissionOutcome>;
  /** Answers a question. Gives `not_found`, `bad_request`, `approval_answered`, `approval_expired`. */
  answer(id: string, option: string): void;
  /** Withdraws all open questions; later ones are withdrawn at once. */
  close(): void;
}

type Question =
  | { state: "open"; options: readonly string[]; settle: (outcome: RequestPermissionOutcome) => void }
  | { state: "answered" }
  | { state: "expired" };

export function createPermissions(options: {
  mode: RunSpec["mode"];
  append: (body: JournalBody) => void;
}): Permissions {
  const questions = new Map<string, Question>();
  let closed = false;

  const settle = (id: string, outcome: RequestPermissionOutcome) => {
    const question = questions.get(id);
    if (question?.state !== "open") return;
    questions.set(id, { state: outcome.outcome === "selected" ? "answered" : "expired" });
    options.append({
      type: "permission_result",
      id,
      outcome:
        outcome.outcome === "selected" ? { outcome: "selected", optionId: outcome.optionId } : { outcome: "cancelled" },
    });
    question.settle(outcome);
  };

  return {
    ask(request) {
      if (closed) return Promise.resolve({ outcome: "cancelled" });
      const allow = options.mode === "process" ? chooseAllow(request) : null;
      if (allow !== null) return Promise.resolve({ outcome: "selected", optionId: allow });
      const id = `p${questions.size + 1}`;
      return new Promise((resolve) => {
        questions.set(id, {
          state: "open",
          options: request.options.map((option) => option.optionId),
          settle: resolve,
        });
        options.append({ type: "permission", id, request: isRecord(request) ? request : {} });
      });
    },
    answer(id, option) {
      const question = questions.get(id);
      if (question === undefined) throw new CodedError("not_found", `The run has no question ${id}`);
      if (question.state === "answered") throw new CodedError("approval_answered");
      if (question.state === "expired") throw new CodedError("approval_expired");
      if (!question.options.includes(option))
        throw new CodedError("bad_request", `"${option}" is not an option of question ${id}`);
      settle(id, { outcome: "selected", optionId: option });
    },
    close() {
      closed = true;
      for (const id of questions.keys()) settle(id, { outcome: "cancelled" });
    },
  };
}

/** The option that allows this once, chosen by its kind: ids and order are the agent's own affair. */
function chooseAllow(request: RequestPermissionRequest): string | null {
  for (const kind of ["allow_once", "allow_always"]) {
    const option = request.options.find((candidate) => candidate.kind === kind);
    if (option !== undefined) return option.optionId;
  }
  return null;
}
