import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { egressDevice } from "./network-rules.ts";

/** Bytes into the box and out of it. */
export type Traffic = { inBytes: number; outBytes: number };

const trafficSchema = z.object({ inBytes: z.number(), outBytes: z.number() });

/** What went over the box's own device since it started, by the kernel's count (proc(5), /proc/pid/net/dev); nothing when it has none. */
export function deviceTraffic(pid: number): Traffic {
  const line = readLines(`/proc/${pid}/net/dev`).find((text) => text.trimStart().startsWith(`${egressDevice}:`)) ?? "";
  const counts = line
    .slice(line.indexOf(":") + 1)
    .trim()
    .split(/\s+/)
    .map(Number);
  return { inBytes: counts[0] ?? 0, outBytes: counts[8] ?? 0 };
}

/** What an earlier host process counted of this box. */
export function readTraffic(file: string): Traffic {
  try {
    return trafficSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // Missing or cut off by a crash: the count begins anew.
    return { inBytes: 0, outBytes: 0 };
  }
}

export function writeTraffic(file: string, traffic: Traffic): void {
  try {
    writeFileSync(file, JSON.stringify(traffic));
  } catch (error) {
    // The box and its folder may be going at this moment.
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    // The process has ended meanwhile.
    return [];
  }
}
