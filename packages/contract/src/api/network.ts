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
export const networkSchema = z.strictObject({
  mode: z.enum(["open", "allow-list", "none"]).default("open"),
  allow: z.array(hostPatternSchema).max(500).default([]),
});
export type Network = z.infer<typeof networkSchema>;

/** A host name as patterns are written: in lower case, without the root's dot at its end. */
export function plainHostName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** True when one of the patterns stands for the name. A wildcard stands for names at any depth below it. */
export function matchesHost(patterns: readonly string[], name: string): boolean {
  const plain = plainHostName(name);
  return patterns.some((pattern) =>
    pattern.startsWith("*.") ? plain.length >= pattern.length && plain.endsWith(pattern.slice(1)) : plain === pattern,
  );
}

/** True when a workspace with this network may reach the name, as far as its policy decides. */
export function allowsHost({ mode, allow }: Network, name: string): boolean {
  if (mode === "open") return true;
  return mode === "allow-list" && matchesHost(allow, name);
}

/** True for a name that an allow-list could hold; an address is none. */
export function isHostName(name: string): boolean {
  return !name.includes("*") && hostPatternSchema.safeParse(plainHostName(name)).success;
}

/**
 * The network after somebody allowed the host. Where nothing was allowed the host becomes the only one: patterns of an earlier allow-list do not come back
 * unasked. An open network stays open and remembers the pattern.
 */
export function withAllowedHost({ mode, allow }: Network, pattern: string): Network {
  if (mode === "none") return { mode: "allow-list", allow: [pattern] };
  return { mode, allow: allow.includes(pattern) ? allow : [...allow, pattern] };
}
