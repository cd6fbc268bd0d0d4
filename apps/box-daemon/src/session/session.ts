import { mkdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { JournalBody } from "@alcove/contract/box/run";
import { isRecord } from "../http/body.ts";
import { parseRunSpec } from "../runs/run-spec.ts";
import { readEnvironment } from "../system/environment.ts";
import { killMarked } from "../system/marked-processes.ts";
import { describe, log } from "../system/log.ts";
import { openJournal } from "../runs/journal.ts";
import { takeLock } from "../runs/lock.ts";
import { runFiles } from "../runs/run-files.ts";
import { listenControl } from "./control.ts";
import { drive } from "./drive.ts";
import { createPermissions } from "./permissions.ts";

/**
 * The process of one run, whose spec comes as JSON on standard input: it owns the agent and the journal, and goes on when `serve` is killed. Its descriptor 3 is the run's lock, which tells
 * everybody that it lives.
 */
export async function runSession(): Promise<void> {
  const environment = readEnvironment(process.env);
  const input: unknown = await Bun.stdin.json();
  if (!isRecord(input)) throw new Error("A session process gets its run on standard input");
  const spec = parseRunSpec(input);
  const files = runFiles(environment, spec.run);
  const journal = openJournal(files.journal);
  let ended = false;
  // An agent may go on talking while it is stopped; the end stays the last entry.
  const append = (body: JournalBody): void => {
    if (ended) return;
    ended = body.type === "end";
    journal.append(body);
  };
  const permissions = createPermissions({ mode: spec.mode, append });
  const cancel = new AbortController();

  process.on("uncaughtException", (error) => {
    log("error", "A session process fails", { run: spec.run, error: describe(error) });
    // The lock goes with this process and the journal gets its end from whoever looks next; nothing that the agent started may outlive that.
    void killMarked({ ALCOVE_RUN: spec.run }).finally(() => process.exit(1));
  });
  process.on("SIGTERM", () => {
    append({ type: "end", outcome: "died", exitCode: null, signal: "SIGTERM" });
    void killMarked({ ALCOVE_RUN: spec.run }).finally(() => process.exit(0));
  });
  listenControl(files.socket, {
    cancel() {
      permissions.close();
      cancel.abort();
    },
    answer: (id, option) => permissions.answer(id, option),
  });

  await waitForTurn(environment.state, spec.session);
  const { end, release } = await drive({ spec, environment, append, permissions, cancelled: cancel.signal });
  permissions.close();
  append(end);
  await release();
  unlinkSync(files.lock);
  unlinkSync(files.socket);
  process.exit(0);
}

const turnPollMs = 50;

/** Waits until the session's previous agent is gone: two of them would write the same history. The lock is held until this process ends. */
async function waitForTurn(state: string, session: string): Promise<void> {
  const folder = join(state, "sessions");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  while (takeLock(join(folder, `${session}.lock`)) === null) await Bun.sleep(turnPollMs);
}
