import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import type { InFlight } from "../activity/activity.ts";
import { startProgram } from "../system/child-limits.ts";
import { commandEnvironment } from "../system/command-environment.ts";
import type { Environment } from "../system/environment.ts";
import { log } from "../system/log.ts";
import type { CronEntry, Crontab } from "./crontab.ts";

/** How often the table is looked at when nothing is due sooner, in milliseconds. */
const lookEveryMs = 30_000;
/** What was due longer ago, in milliseconds, when the box slept, is left out as cron leaves out what was due while a machine was off. */
const lateMs = 60_000;
const longestLog = 2 ** 20;

export interface Schedule {
  /** When the next entry of the workspace's table is due; null without any. */
  nextDue(): Promise<Date | null>;
}

/** Runs the entries of `~/.config/alcove/crontab` as they are due; their output goes to system/logs/cron.log. The table may come, change and go at any time. */
export function keepSchedule(environment: Environment, inFlight: InFlight): Schedule {
  const file = `${environment.home}/.config/alcove/crontab`;
  let known: { mark: string; table: Crontab } | null = null;
  let seen = new Date();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const read = async (): Promise<readonly CronEntry[]> => {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile()) known = null;
    else {
      const mark = `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
      if (known?.mark !== mark) {
        // Most workspaces have no table: they do not pay for its reader.
        const { parseCrontab } = await import("./crontab.ts");
        known = { mark, table: parseCrontab(readFileSync(file, "utf8")) };
        for (const problem of known.table.problems) log("warn", "The crontab has a mistake", { problem });
      }
    }
    return known?.table.entries ?? [];
  };

  const look = async (): Promise<Date | null> => {
    clearTimeout(timer);
    const now = new Date();
    const from = seen;
    seen = now;
    let next: Date | null = null;
    try {
      for (const entry of await read()) {
        const due = entry.next(from);
        if (due !== null && due <= now) {
          if (now.getTime() - due.getTime() <= lateMs) run(entry, environment, inFlight);
          else log("warn", "A scheduled command was missed", { command: entry.command, due: due.toISOString() });
        }
        const following = entry.next(now);
        if (following !== null && (next === null || following < next)) next = following;
      }
    } catch (error) {
      log("warn", "The crontab cannot be read", { error: String(error) });
    }
    const wait = next === null ? lookEveryMs : Math.min(lookEveryMs, Math.max(0, next.getTime() - Date.now()));
    timer = setTimeout(() => void look(), wait);
    return next;
  };

  void look();
  return { nextDue: look };
}

function run({ command, env }: CronEntry, environment: Environment, inFlight: InFlight): void {
  const folder = `${environment.root}/system/logs`;
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/cron.log`;
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > longestLog) renameSync(file, `${file}.1`);
  const output = openSync(file, "a", 0o644);
  try {
    const child = startProgram(() =>
      Bun.spawn([env["SHELL"] ?? "/bin/sh", "-c", command], {
        cwd: environment.home,
        env: { ...commandEnvironment(environment), ...env },
        stdio: ["ignore", output, output],
        detached: true,
      }),
    );
    log("info", "A scheduled command runs", { command });
    void child.exited.then(inFlight.hold({ kind: "schedule", what: command.slice(0, 100) }));
  } catch (error) {
    log("error", "A scheduled command was not started", { command, error: String(error) });
  } finally {
    closeSync(output);
  }
}
