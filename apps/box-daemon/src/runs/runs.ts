import { closeSync, existsSync, mkdirSync, openSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { RunSpec } from "@alcove/contract/box/run";
import { CodedError } from "@alcove/contract/errors";
import { isId } from "@alcove/contract/ids";
import { isRecord } from "../http/body.ts";
import type { Environment } from "../system/environment.ts";
import { describe, log } from "../system/log.ts";
import { killMarked } from "../system/marked-processes.ts";
import { ownCommand, ownEnvironment } from "../system/own-command.ts";
import { followJournal } from "./follow.ts";
import { isEnd, openJournal, readLines } from "./journal.ts";
import { isLocked, takeLock } from "./lock.ts";
import { pruneRuns } from "./prune.ts";
import { runFiles, type RunFiles } from "./run-files.ts";
import type { SessionMessage } from "./session-client.ts";

export interface Runs {
  /** Starts the run in a process of its own; false when it was started before. */
  put(spec: RunSpec): boolean;
  /** Gives `not_found` when the run was never put. */
  require(run: string): void;
  /** The journal's lines behind the entry, live, up to the run's end. Gives `not_found`. */
  follow(run: string, after: number, signal: AbortSignal): AsyncGenerator<Uint8Array | string, void>;
  /** Asks the run to end; one that has ended stays as it is. Gives `not_found`. */
  cancel(run: string): Promise<void>;
  /** Answers a question of the run. Gives `not_found`, `bad_request`, `approval_answered`, `approval_expired`. */
  answer(run: string, permission: string, option: string): Promise<void>;
  /** Gives an end to every journal whose process is gone. */
  settleAll(): Promise<void>;
}

export function createRuns(environment: Environment): Runs {
  const filesOf = (run: string): RunFiles => {
    if (!isId("run", run)) throw new CodedError("not_found", `There is no run "${run}"`);
    const files = runFiles(environment, run);
    if (!existsSync(files.folder)) throw new CodedError("not_found", `There is no run "${run}"`);
    return files;
  };

  const settle = async (run: string, files: RunFiles): Promise<void> => {
    if (isLocked(files.lock)) return;
    if (!hasEnd(files)) {
      await killMarked({ ALCOVE_RUN: run });
      const lock = takeLock(files.lock);
      if (lock === null) return;
      const journal = openJournal(files.journal);
      if (!hasEnd(files)) journal.append({ type: "end", outcome: "died", exitCode: null, signal: null });
      journal.close();
      closeSync(lock);
    }
    if (existsSync(files.lock)) unlinkSync(files.lock);
  };

  const ask = async (run: string, message: SessionMessage): Promise<"done" | "gone"> => {
    const files = filesOf(run);
    const { askSession } = await import("./session-client.ts");
    while (true) {
      if ((await askSession(files.socket, message)) === "done") return "done";
      // The process of a run that was put a moment ago does not listen yet.
      if (!isLocked(files.lock)) return "gone";
      await Bun.sleep(listenPollMs);
    }
  };

  return {
    put(spec) {
      const files = runFiles(environment, spec.run);
      mkdirSync(files.folder, { recursive: true, mode: 0o700 });
      if (existsSync(files.journal) && !isEmpty(files)) return false;
      const lock = takeLock(files.lock);
      if (lock === null) return false;
      try {
        spawnSession(spec, lock);
      } finally {
        closeSync(lock);
      }
      pruneRuns(environment, Date.now());
      return true;
    },
    require(run) {
      filesOf(run);
    },
    async *follow(run, after, signal) {
      const files = filesOf(run);
      await settle(run, files);
      yield* followJournal({ files, after, signal, settle: () => settle(run, files) });
    },
    async cancel(run) {
      await ask(run, { cancel: true });
    },
    async answer(run, permission, option) {
      const answered = await ask(run, { permission, option });
      if (answered === "gone") throw lateAnswer(filesOf(run), permission);
    },
    async settleAll() {
      const folder = join(environment.state, "runs");
      if (!existsSync(folder)) return;
      for (const run of readdirSync(folder)) {
        const files = runFiles(environment, run);
        if (!existsSync(files.lock)) continue;
        await settle(run, files).catch((error: unknown) =>
          log("error", "Cannot settle a run", { run, error: describe(error) }),
        );
      }
    },
  };
}

const listenPollMs = 50;

/** The session process gets the run's lock as descriptor 3, so that at no moment nobody has it. */
function spawnSession(spec: RunSpec, lock: number): void {
  const child = Bun.spawn(ownCommand("session"), {
    env: ownEnvironment(),
    stdio: ["pipe", "ignore", "inherit", lock],
    cwd: "/",
    detached: true,
  });
  void child.stdin.write(JSON.stringify(spec));
  void child.stdin.end();
  child.unref();
}

function isEmpty(files: RunFiles): boolean {
  for (const _ of linesOf(files)) return false;
  return true;
}

function hasEnd(files: RunFiles): boolean {
  for (const line of linesOf(files)) if (isEnd(line)) return true;
  return false;
}

function* linesOf(files: RunFiles): Generator<Buffer, void> {
  if (!existsSync(files.journal)) return;
  const fd = openSync(files.journal, "r");
  try {
    yield* readLines(fd, 0);
  } finally {
    closeSync(fd);
  }
}

/** Why a question of a run whose process is gone cannot be answered. */
function lateAnswer(files: RunFiles, permission: string): CodedError {
  let known = false;
  for (const line of linesOf(files)) {
    const entry: unknown = JSON.parse(line.toString("utf8"));
    if (!isRecord(entry) || entry["id"] !== permission) continue;
    known = true;
    const outcome = entry["outcome"];
    if (isRecord(outcome) && outcome["outcome"] === "selected") return new CodedError("approval_answered");
  }
  return known
    ? new CodedError("approval_expired")
    : new CodedError("not_found", `The run has no question ${permission}`);
}
