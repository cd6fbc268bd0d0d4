import { gatewayPort } from "@alcove/contract/box/raw";
import type { ProviderKind } from "@alcove/contract/api/agent";
import type { Protocol } from "./usage.ts";

export interface GatewayRoute {
  readonly kinds: readonly ProviderKind[];
  /** Path below the provider's base URL, with the query. */
  readonly path: string;
  /** What is counted; null for calls that cost nothing. */
  readonly protocol: Protocol | null;
}

const anthropic: Record<string, Protocol | null> = {
  "/v1/messages": "messages",
  "/v1/messages/count_tokens": null,
  "/v1/models": null,
};
const openai: Record<string, Protocol | null> = {
  "/responses": "responses",
  "/chat/completions": "chat",
  "/models": null,
};

/** Where a call from a box goes; undefined for everything that is not a model call. */
export function routeOf(method: string, url: string): GatewayRoute | undefined {
  const [path = "", query] = url.split("?", 2);
  const found = match(path, "/anthropic", anthropic) ?? match(path, "/openai/v1", openai);
  if (!found) return undefined;
  const reads = found.path.includes("/models");
  if (method !== "POST" && !(reads && (method === "GET" || method === "HEAD"))) return undefined;
  return {
    kinds: path.startsWith("/anthropic") ? ["anthropic"] : ["openai", "compatible"],
    path: query === undefined ? found.path : `${found.path}?${query}`,
    protocol: found.protocol,
  };
}

function match(path: string, prefix: string, calls: Record<string, Protocol | null>) {
  if (!path.startsWith(`${prefix}/`)) return undefined;
  const call = path.slice(prefix.length);
  const protocol = calls[call];
  if (protocol !== undefined) return { path: call, protocol };
  return /^(\/v1)?\/models\/[\w.:@-]+$/.test(call) ? { path: call, protocol: null } : undefined;
}

/** Where agents in a box find the gateway: a loopback port that the daemon joins with its link. */
export const gatewayUrls = {
  anthropic: `http://127.0.0.1:${gatewayPort}/anthropic`,
  openai: `http://127.0.0.1:${gatewayPort}/openai/v1`,
} as const;
