import { z } from "zod";

/** `example.com`, or `*.example.com` for every name below it (not for `example.com` itself); no address, no port. */
export const hostPatternSchema = z
  .string()
  .max(253)
  .regex(
    /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
    "is a host name in lower case, such as registry.npmjs.org, or *.example.com for all names below it",
  );

/** What a workspace may reach. The model gateway is always there; private, link-local and metadata addresses, the host and other boxes never. */
export const networkSchema = z.object({
  mode: z.enum(["open", "allow-list", "none"]).default("open"),
  allow: z.array(hostPatternSchema).max(500).default([]),
});
export type Network = z.infer<typeof networkSchema>;
