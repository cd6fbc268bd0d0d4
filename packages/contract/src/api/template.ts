import { z } from "zod";

/** What a new workspace may begin with: a root file system with tools, by name. */
export const templateSchema = z.object({
  name: z.string(),
  /** For people, as in `Node`. */
  title: z.string(),
  /** What is in it, in one sentence. */
  description: z.string(),
  version: z.string(),
  /** `missing` is built when it is first used; a workspace made meanwhile waits for it. */
  state: z.enum(["ready", "building", "missing", "failed"]),
  /** How far it is, or why it failed. */
  detail: z.string(),
  /** The runtimes of this server that can run it. */
  runtimes: z.array(z.enum(["embedded", "docker"])),
});
export type Template = z.infer<typeof templateSchema>;
