import { z } from "zod";
import { failureSchema } from "./problem.ts";

export const providerKindSchema = z.enum(["anthropic", "openai", "compatible"]);
export type ProviderKind = z.infer<typeof providerKindSchema>;

export const agentSchema = z.object({
  name: z.string(),
  title: z.string(),
  /** Two letters for its square. */
  monogram: z.string(),
  version: z.string(),
  state: z.enum(["available", "installing", "ready", "failed"]),
  error: failureSchema.nullable(),
  progress: z.object({ percent: z.number().int(), text: z.string() }).nullable(),
  /** Kinds of provider that it can use, best first, and the one that it would use now. */
  providers: z.array(providerKindSchema),
  provider: z.string().nullable(),
  models: z.array(z.object({ id: z.string(), title: z.string() })),
  defaultModel: z.string().nullable(),
});
export type Agent = z.infer<typeof agentSchema>;

export const providerSchema = z.object({
  name: z.string(),
  kind: providerKindSchema,
  baseUrl: z.string(),
  /** The last four characters; the key itself is never given back. */
  keyEnding: z.string(),
  source: z.enum(["settings", "environment"]),
  state: z.enum(["unchecked", "works", "refused", "unreachable"]),
  error: failureSchema.nullable(),
  checkedAt: z.string().nullable(),
  models: z.array(z.string()),
  updatedAt: z.string(),
});
export type Provider = z.infer<typeof providerSchema>;

export const putProviderSchema = z.object({
  kind: providerKindSchema,
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .optional(),
  key: z.string().min(1).max(4000),
  /** Models to offer where the provider cannot list its own. */
  models: z.array(z.string().max(200)).max(100).optional(),
});
