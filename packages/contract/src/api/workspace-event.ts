import { z } from "zod";

export const limitReachedSchema = z.object({
  kind: z.literal("limit.reached"),
  data: z.object({
    limit: z.enum(["memory", "processes", "disk"]),
    code: z.string(),
    /** The program that was ended or refused, where it is known. */
    process: z.string().nullable(),
    /** The limit in bytes or in number. */
    at: z.number().nullable(),
  }),
});

export const networkDeniedSchema = z.object({
  kind: z.literal("network.denied"),
  data: z.object({
    host: z.string(),
    port: z.number().int().nullable(),
    /** True when an allow-list could let it through; false for an address, which no list can hold, and for a name that leads to a closed address. */
    canAllow: z.boolean(),
    times: z.number().int(),
  }),
});

export const boxDiedSchema = z.object({
  kind: z.literal("box.died"),
  data: z.object({ epoch: z.number().int(), code: z.string(), next: z.enum(["restart", "stay"]) }),
});

/**
 * What happened to a workspace that its people should know, in words and in a form that programs read:
 * - `limit.reached` a limit of memory, processes or disk was hit; `code` is of the error catalogue
 * - `network.denied` something in the box asked for a host that the policy does not allow; `host` may be allowed with one click
 * - `box.started`, `box.frozen`, `box.thawed`, `box.stopped` and why
 * - `box.died` its first process ended by itself or its daemon hung, and what happens next
 * - `changed` somebody changed limits, network or lifetime
 */
export const workspaceEventBodySchema = z.discriminatedUnion("kind", [
  limitReachedSchema,
  networkDeniedSchema,
  boxDiedSchema,
  z.object({
    kind: z.enum(["box.started", "box.frozen", "box.thawed", "box.stopped"]),
    data: z.object({ epoch: z.number().int(), why: z.string() }),
  }),
  z.object({ kind: z.literal("changed"), data: z.object({ what: z.enum(["limits", "network", "lifetime"]) }) }),
]);
export type WorkspaceEventBody = z.infer<typeof workspaceEventBodySchema>;

/** `text` is one sentence for people. `seq` grows within the workspace; only the newest thousand are kept. */
export const workspaceEventSchema = z.intersection(
  z.object({ workspace: z.string(), seq: z.number().int().min(1), at: z.string(), text: z.string() }),
  workspaceEventBodySchema,
);
export type WorkspaceEvent = z.infer<typeof workspaceEventSchema>;
