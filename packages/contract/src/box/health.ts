import { z } from "zod";

/** Body of `GET /v1/health`. */
export const boxHealthSchema = z.object({
  workspace: z.string(),
  epoch: z.number().int(),
  version: z.string(),
  startedAt: z.string(),
  diskWritable: z.boolean(),
  /** True when terminals are held by tmux and so outlive the daemon. */
  tmux: z.boolean(),
});
export type BoxHealth = z.infer<typeof boxHealthSchema>;

/** An error of the daemon's HTTP API; the HTTP status is the catalogue's. */
export const boxErrorSchema = z.object({ code: z.string(), detail: z.string() });
export type BoxError = z.infer<typeof boxErrorSchema>;

/** Request header with the epoch that the caller believes in; another one is answered 409 `workspace_unreachable`. */
export const epochHeader = "x-alcove-epoch";
