import { unpackedTreeSchema } from "@alcove/contract/host";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writeFileAtomically } from "../kernel/atomic-file.ts";

const noteSchema = z.object({
  tools: z.record(z.string(), z.string()),
  sizeBytes: z.number(),
  /** Of a tree that was given, what was told of it. */
  unpacked: unpackedTreeSchema.optional(),
});
export type TreeNote = z.infer<typeof noteSchema>;

/** The file beside a tree that says what is in it, written before the tree gets its name. */
export function notePath(tree: string): string {
  return `${tree}.json`;
}

export async function writeNote(tree: string, note: TreeNote): Promise<void> {
  await writeFileAtomically(notePath(tree), `${JSON.stringify(note)}\n`);
}

/** Null when nothing is known of the tree. */
export async function readNote(tree: string): Promise<TreeNote | null> {
  const text = await readFile(notePath(tree), "utf8").catch(() => null);
  return text === null ? null : noteSchema.parse(JSON.parse(text));
}
