import { z } from "zod";

/** Body of `GET /v1/activity`: what of the box is at work, since the question before. Empty when nothing is. */
export const boxActivitySchema = z.object({
  busy: z.array(
    z.object({
      kind: z.enum(["command", "terminal", "process", "connection"]),
      /** A program, or `port 5173`. */
      what: z.string().max(200),
    }),
  ),
});
export type BoxActivity = z.infer<typeof boxActivitySchema>;
