import { z } from "zod";

const shortest = 1_000;
const longest = 366 * 86_400_000;
const duration = z.number().int().min(shortest).max(longest);

/** When a workspace sleeps. Milliseconds; null is never; what is left out is the server's default. Idle means that no work is in flight. */
export const lifetimeSchema = z.strictObject({
  /** Idle for this long: frozen, uses no processor. */
  freezeAfterMs: duration.nullable().optional(),
  /** Idle for this long: stopped, uses no memory. */
  stopAfterMs: duration.nullable().optional(),
  /** Age at which the workspace is deleted, idle or not. */
  deleteAfterMs: duration.nullable().optional(),
  /** True: never frozen or stopped for being idle, and started again when its box ends. */
  keepAlive: z.boolean().optional(),
});
export type Lifetime = z.infer<typeof lifetimeSchema>;
