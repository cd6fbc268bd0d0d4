import { limitsSchema, type Limits } from "@alcove/contract/api/workspace";
import { formatBytes } from "../format/format.ts";

export type LimitName = keyof Limits;

export interface LimitKind {
  name: LimitName;
  label: string;
  /** What happens at the limit, in one sentence. */
  note: string;
  /** What an empty field means. */
  empty: string;
  /** Values that the buttons step through, smallest first. */
  steps: number[];
  /** The value as it stands in the field, as in `2 GB`. */
  show: (value: number) => string;
  /** What somebody typed as a value; null when it is none. */
  read: (text: string) => number | null;
}

const mega = 2 ** 20;
const giga = 2 ** 30;

export const limitKinds: LimitKind[] = [
  {
    name: "memoryBytes",
    label: "Memory",
    note: "A program that wants more is ended, and Activity says which",
    empty: "No limit",
    steps: [128, 256, 512, 1024, 2048, 3072, 4096, 6144, 8192, 12_288, 16_384, 32_768, 65_536].map((at) => at * mega),
    show: formatBytes,
    read: readBytes,
  },
  {
    name: "cpus",
    label: "Processor",
    note: "Cores that it may use at the same time",
    empty: "No limit",
    steps: [0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64],
    show: (value) => `${value} ${value === 1 ? "core" : "cores"}`,
    read: readNumber,
  },
  {
    name: "diskBytes",
    label: "Disk",
    note: "Files of the workspace; snapshots share what did not change",
    empty: "No limit",
    steps: [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1024].map((at) => at * giga),
    show: formatBytes,
    read: readBytes,
  },
  {
    name: "processes",
    label: "Processes",
    note: "Programs and threads at the same time",
    empty: "As usual",
    steps: [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384],
    show: formatWhole,
    read: readWhole,
  },
  {
    name: "openFiles",
    label: "Open files",
    note: "Of each process; for programs that start from now on",
    empty: "As usual",
    steps: [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576],
    show: formatWhole,
    read: readWhole,
  },
];

/** The next larger or smaller step of a limit; from no limit at all, the largest of them. */
export function stepOf(kind: LimitKind, value: number | undefined, direction: 1 | -1): number | undefined {
  if (value === undefined) return direction === -1 ? kind.steps.at(-1) : undefined;
  if (direction === 1) return kind.steps.find((step) => step > value) ?? value;
  return kind.steps.findLast((step) => step < value) ?? value;
}

export type LimitEntry = { type: "value"; value: number | undefined } | { type: "problem"; problem: string };

/** What was typed into the field of a limit: a value, nothing for no limit, or why it is neither. */
export function limitEntry(kind: LimitKind, text: string): LimitEntry {
  const trimmed = text.trim();
  if (trimmed === "" || /^(no limit|none|as usual)$/i.test(trimmed)) return { type: "value", value: undefined };
  const value = kind.read(trimmed);
  if (value === null) return { type: "problem", problem: `Write it as ${kind.show(kind.steps[4] ?? 1)}` };
  const parsed = limitsSchema.shape[kind.name].safeParse(value);
  if (parsed.success) return { type: "value", value };
  for (const issue of parsed.error.issues) {
    if (issue.code === "too_small") return { type: "problem", problem: `At least ${kind.show(Number(issue.minimum))}` };
    if (issue.code === "too_big") return { type: "problem", problem: `At most ${kind.show(Number(issue.maximum))}` };
  }
  return { type: "problem", problem: "This is no limit that can be set" };
}

const unitBytes: Record<string, number> = { k: 2 ** 10, m: mega, g: giga, t: 2 ** 40 };

/** `512 MB`, `1.5g`, `2 GiB`; a number alone is megabytes, as people say them. */
function readBytes(text: string): number | null {
  const match = /^([\d.,]+)\s*([kmgt])?(?:i?b(?:ytes)?)?$/i.exec(text);
  const amount = match?.[1] === undefined ? null : readNumber(match[1]);
  if (amount === null) return null;
  return Math.round(amount * (unitBytes[match?.[2]?.toLowerCase() ?? "m"] ?? mega));
}

function readNumber(text: string): number | null {
  const match = /^(\d+(?:[.,]\d+)?)(?:\s*(?:cores?|cpus?))?$/i.exec(text);
  return match?.[1] === undefined ? null : Number(match[1].replace(",", "."));
}

function readWhole(text: string): number | null {
  const digits = text.replaceAll(/[\s,.'’]/g, "");
  return /^\d+$/.test(digits) ? Number(digits) : null;
}

function formatWhole(value: number): string {
  return value.toLocaleString("en");
}
