/** Elapsed time as `14 ms`, `0.4 s`, `38 s`, `3:12` or `1:02:09`. */
export function formatDuration(ms: number): string {
  if (ms > 0 && ms < 50) return `${Math.max(1, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const rest = String(seconds % 60).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** Time that runs, as `0:07` or `11:40`: a figure that keeps its width. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const rest = String(seconds % 60).padStart(2, "0");
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** Dollars with two digits; what is less than a cent is said so. */
export function formatCost(usd: number): string {
  if (usd > 0 && usd < 0.01) return "< $0.01";
  return `$${usd.toFixed(2)}`;
}

const units = ["bytes", "KB", "MB", "GB", "TB"];

/** Bytes in steps of 1024 with at most one digit behind the point, as in `1.1 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return value === 1 ? "1 byte" : `${value} bytes`;
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)} ${units[unit] ?? ""}`;
}

/** Counts of tokens: `940`, `12.4 k`, `1.2 M`. */
export function formatCount(count: number): string {
  if (count < 1000) return String(count);
  if (count < 999_950) return `${(count / 1000).toFixed(count < 9_950 ? 1 : 0)} k`;
  return `${(count / 1_000_000).toFixed(1)} M`;
}

/** How long ago: `now`, `4 min`, `3 h`, `yesterday`, then the date. */
export function formatAgo(at: string, now: number): string {
  const minutes = Math.floor((now - Date.parse(at)) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  const then = new Date(at);
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (then.getTime() >= midnight) return `${Math.floor(minutes / 60)} h`;
  if (then.getTime() >= midnight - 86_400_000) return "yesterday";
  return then.toLocaleDateString("en", { month: "short", day: "numeric" });
}

/** Time of day, as in `10:42`. */
export function formatTime(at: string): string {
  return new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** A day and a time of day to rely on, as in `Tue 4 Aug 2026 at 10:42`; ms since 1970. */
export function formatMoment(at: number): string {
  const then = new Date(at);
  const day = then.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
  return `${day.replace(",", "")} at ${formatTime(then.toISOString())}`;
}

const words = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"];

/** A small count as a word at the start of a sentence, larger ones in figures. */
export function countWord(count: number): string {
  return words[count] ?? String(count);
}

/** `1 file`, `3 files`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Everything before the last part of a path; empty at the top. */
export function folderName(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The path as people know it: without the folder that every project lies in. */
export function shortPath(path: string): string {
  return path.replace(/^\/?(?:workspace\/)?(?:user\/(?:projects\/)?)?/, "") || path;
}
