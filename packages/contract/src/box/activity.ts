import { z } from "zod";

/** Body of `GET /v1/activity`: what of the box is at work, since the question before. Empty when nothing is. */
export const boxActivitySchema = z.object({
  busy: z.array(
    z.object({
      kind: z.enum(["command", "terminal", "process", "connection", "schedule"]),
      /** A program, or `port 5173`. */
      what: z.string().max(200),
    }),
  ),
  /** When the next entry of the workspace's crontab is due, in RFC 3339; null without any. */
  nextDueAt: z.iso.datetime().nullable(),
});
export type BoxActivity = z.infer<typeof boxActivitySchema>;
