import { z } from "zod";

export const meSchema = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  role: z.enum(["owner", "member"]),
  hasPassword: z.boolean(),
});
export type Me = z.infer<typeof meSchema>;
export const updateMeSchema = z.object({
  name: z.string().min(1).max(100).optional(),
  email: z.email().max(200).optional(),
  password: z.string().min(10).max(200).optional(),
});

export const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  start: z.string(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
});
export type ApiKey = z.infer<typeof apiKeySchema>;
export const createKeySchema = z.object({ name: z.string().min(1).max(80) });
export const createdKeySchema = apiKeySchema.extend({ key: z.string() });

export const signInLinkSchema = z.object({ url: z.string() });

/** What may be told to anybody: enough for the sign-in page. */
export const welcomeSchema = z.object({
  product: z.literal("alcove"),
  version: z.string(),
  ownerHasPassword: z.boolean(),
});

/** One line of `alcove doctor`. */
export const findingSchema = z.object({
  id: z.string(),
  level: z.enum(["ok", "missing", "broken"]),
  title: z.string(),
  detail: z.string(),
  /** The command that would mend it. */
  remedy: z.string().nullable(),
});
export type Finding = z.infer<typeof findingSchema>;

/** What the server's machine has and what is left of it. `disk` is where the data directory is. */
export const hostLoadSchema = z.object({
  memoryTotalBytes: z.number(),
  memoryAvailableBytes: z.number(),
  diskTotalBytes: z.number(),
  diskFreeBytes: z.number(),
});
export type HostLoad = z.infer<typeof hostLoadSchema>;

export const systemSchema = z.object({
  version: z.string(),
  address: z.string(),
  dataDirectory: z.string(),
  load: hostLoadSchema,
  findings: z.array(findingSchema),
  template: z.object({ state: z.enum(["ready", "building", "missing", "failed"]), detail: z.string() }),
});
export type System = z.infer<typeof systemSchema>;
