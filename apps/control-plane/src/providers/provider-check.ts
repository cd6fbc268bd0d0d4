import { z } from "zod";
import type { ProviderKind } from "@alcove/contract/api/agent";
import { CodedError } from "@alcove/contract/errors";

export interface ProviderAddress {
  readonly kind: ProviderKind;
  readonly baseUrl: string;
  readonly key: string;
}

const modelsSchema = z.object({ data: z.array(z.object({ id: z.string() })) });
const patienceMs = 10_000;

/** Where each kind of provider is when nothing else is said. */
export const defaultBaseUrls: Record<ProviderKind, string> = {
  anthropic: "https://api.anthropic.com",
  openai: "https://api.openai.com/v1",
  compatible: "https://openrouter.ai/api/v1",
};

/** The header that carries the key: Anthropic's `x-api-key`, or a bearer token. */
export function keyHeaders(kind: ProviderKind, key: string): Record<string, string> {
  return kind === "anthropic" ? { "x-api-key": key } : { authorization: `Bearer ${key}` };
}

/** The address of a call; an Anthropic base URL ends before `/v1`, an OpenAI one includes it. */
export function callUrl(baseUrl: string, path: string): string {
  return `${baseUrl.replace(/\/+$/, "")}${path}`;
}

/**
 * Asks the provider for its models: the cheapest call that shows that address and key are right. Gives the models' names, none where the
 * provider has no such list. Errors: `model_key_refused`, `model_unreachable`.
 */
export async function checkProvider(provider: ProviderAddress, signal: AbortSignal): Promise<string[]> {
  const url = callUrl(provider.baseUrl, provider.kind === "anthropic" ? "/v1/models?limit=100" : "/models");
  const host = new URL(url).host;
  let response: Response;
  try {
    response = await fetch(url, {
      headers: { ...keyHeaders(provider.kind, provider.key), "anthropic-version": "2023-06-01" },
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new CodedError("model_unreachable", `${host} does not answer: ${reasonOf(error)}.`, { cause: error });
  }
  const text = await response.text();
  if (response.status === 401 || response.status === 403) {
    throw new CodedError("model_key_refused", `${host} answered ${response.status} to the key: ${excerpt(text)}`);
  }
  if (response.status >= 500)
    throw new CodedError("model_unreachable", `${host} answered ${response.status}: ${excerpt(text)}`);
  try {
    const models = modelsSchema.safeParse(JSON.parse(text));
    return models.success ? models.data.data.map(({ id }) => id).slice(0, 500) : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${patienceMs / 1000} seconds`;
  const cause = error.cause;
  return cause instanceof Error ? cause.message || ("code" in cause ? String(cause.code) : cause.name) : error.message;
}

/** The provider's own words, short enough for a sentence. */
export function excerpt(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    const parsed = z.object({ error: z.object({ message: z.string() }) }).safeParse(body);
    if (parsed.success) return parsed.data.error.message.slice(0, 300);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 300) || "no explanation";
}
