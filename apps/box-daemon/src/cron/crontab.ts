import { Cron } from "croner";

export interface CronEntry {
  readonly command: string;
  /** Variables that the lines before it set. */
  readonly env: Readonly<Record<string, string>>;
  /** The first minute after this moment in which it is due; null when there is none. */
  next(after: Date): Date | null;
}

export interface Crontab {
  readonly entries: readonly CronEntry[];
  /** One sentence for each line that is not understood. */
  readonly problems: readonly string[];
}

/**
 * A user's table in the form of crontab(5): five fields or `@daily` and its kin, then a command; `NAME=value` lines hold for what follows, and `CRON_TZ` or `TZ` is
 * the zone of the times. `%` has no meaning of its own, and there is no `@reboot`.
 */
export function parseCrontab(text: string): Crontab {
  const entries: CronEntry[] = [];
  const problems: string[] = [];
  let env: Record<string, string> = {};
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const assignment = /^([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(line);
    if (assignment?.[1] !== undefined) {
      env = { ...env, [assignment[1]]: unquote(assignment[2] ?? "") };
      continue;
    }
    const [, pattern = "", command = ""] = /^(@\S+|(?:\S+\s+){4}\S+)\s+(.+)$/.exec(line) ?? [];
    try {
      if (command === "") throw new Error("it has no command");
      const times = new Cron(pattern, pattern.startsWith("@") ? zoneOf(env) : { ...zoneOf(env), mode: "5-part" });
      times.nextRun();
      entries.push({ command, env, next: (after) => times.nextRun(after) });
    } catch (error) {
      problems.push(`Line ${index + 1} is not understood: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { entries, problems };
}

function zoneOf({ CRON_TZ, TZ }: Record<string, string>): { timezone?: string } {
  const timezone = CRON_TZ ?? TZ;
  return timezone === undefined ? {} : { timezone };
}

function unquote(value: string): string {
  return /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
}
