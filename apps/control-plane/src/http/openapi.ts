import type { z } from "zod";
import { problemSchema } from "@alcove/contract/api/problem";

export function json<T extends z.ZodType>(description: string, schema: T) {
  return { description, content: { "application/json": { schema } } };
}

export function jsonBody<T extends z.ZodType>(schema: T) {
  return { required: true, content: { "application/json": { schema } } };
}

/** What every call may answer instead. */
export const answers = {
  default: {
    description: "A problem, by RFC 9457",
    content: { "application/problem+json": { schema: problemSchema } },
  },
} as const;
