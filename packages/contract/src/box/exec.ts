import { z } from "zod";

const output = {
  data: z.string(),
  /** Present when the bytes are not UTF-8: `data` is then base64. A character is never split over two lines. */
  encoding: z.literal("base64").optional(),
};

/** A line of the answer to `POST /v1/exec`. `exit` is the last; its code is 128 + signal for a command that was killed. */
export const boxExecLineSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("stdout"), ...output }),
  z.object({ kind: z.literal("stderr"), ...output }),
  z.object({ kind: z.literal("exit"), exitCode: z.number().int(), timedOut: z.boolean() }),
]);
export type BoxExecLine = z.infer<typeof boxExecLineSchema>;
