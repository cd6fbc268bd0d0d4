import { z } from "zod";

export interface LogLine {
  /** Time of day; empty for a line that does not say. */
  time: string;
  level: "info" | "warn" | "error";
  text: string;
  /** What else the line tells, as `PUT /v1/files/notes.md` or `exitCode 1`. */
  rest: string;
}

const lineSchema = z.looseObject({
  at: z.string(),
  level: z.enum(["info", "warn", "error"]),
  message: z.string(),
});

/** A box's log, line by line: the daemon's own lines are JSON, whatever else the box printed stays as it is. */
export function logLines(text: string): LogLine[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(readLine);
}

function readLine(line: string): LogLine {
  const parsed = lineSchema.safeParse(jsonOrNull(line));
  if (!parsed.success) return { time: "", level: "info", text: line, rest: "" };
  const { at, level, message, ...fields } = parsed.data;
  const rest = Object.entries(fields)
    .filter(([name, value]) => value !== null && value !== undefined && !unread.has(name))
    .map(([name, value]) => (typeof value === "string" ? value : `${name} ${JSON.stringify(value)}`));
  return { time: timeOf(at), level, text: message, rest: rest.join(" ") };
}

/** Links a line with others in a log search, and says nothing to a reader. */
const unread = new Set(["trace", "traceparent", "workspace", "epoch"]);

function timeOf(at: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleTimeString("en-GB");
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
