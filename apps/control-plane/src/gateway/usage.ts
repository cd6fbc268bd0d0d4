import { createParser } from "eventsource-parser";
import type { Tokens } from "@alcove/contract/api/run";
import { z } from "zod";

export interface MeteredUsage extends Tokens {
  readonly model: string;
  /** True when the stream ended before the provider said what it used. */
  readonly estimated: boolean;
}

const count = z.number().int().nonnegative().nullish();
const anthropicUsage = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
});
const responsesUsage = z.object({
  input_tokens: count,
  output_tokens: count,
  input_tokens_details: z.object({ cached_tokens: count }).nullish(),
});
const chatUsage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count }).nullish(),
});

const messageSchema = z.object({ model: z.string().nullish(), usage: z.unknown().optional() });
const eventSchema = z.object({
  type: z.string().nullish(),
  model: z.string().nullish(),
  usage: z.unknown().optional(),
  message: messageSchema.nullish(),
  response: messageSchema.nullish(),
  delta: z.object({ text: z.string().nullish() }).nullish().catch(null),
});

export type Protocol = "messages" | "responses" | "chat";

/**
 * Reads along with a model's answer, streamed or plain, and says what it used. Usage sits in Anthropic's `message_start.message.usage` and
 * `message_delta.usage`, in `response.completed.response.usage` of OpenAI's Responses, and in the last chunk of Chat Completions.
 */
export function createMeter(protocol: Protocol, requestedModel: string, streamed: boolean) {
  let model = requestedModel;
  let complete = false;
  let seenBytes = 0;
  let body = "";
  const tokens = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

  const take = (usage: unknown, last: boolean) => {
    switch (protocol) {
      case "messages": {
        const parsed = anthropicUsage.safeParse(usage);
        if (!parsed.success) return;
        const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } = parsed.data;
        tokens.inputTokens = input_tokens ?? tokens.inputTokens;
        tokens.outputTokens = output_tokens ?? tokens.outputTokens;
        tokens.cacheReadTokens = cache_read_input_tokens ?? tokens.cacheReadTokens;
        tokens.cacheWriteTokens = cache_creation_input_tokens ?? tokens.cacheWriteTokens;
        break;
      }
      case "responses": {
        const parsed = responsesUsage.safeParse(usage);
        if (!parsed.success) return;
        setOpenAi(parsed.data.input_tokens, parsed.data.output_tokens, parsed.data.input_tokens_details?.cached_tokens);
        break;
      }
      case "chat": {
        const parsed = chatUsage.safeParse(usage);
        if (!parsed.success) return;
        setOpenAi(
          parsed.data.prompt_tokens,
          parsed.data.completion_tokens,
          parsed.data.prompt_tokens_details?.cached_tokens,
        );
        break;
      }
    }
    complete ||= last;
  };

  /** OpenAI counts cached tokens within the input; ours are apart, as Anthropic's are. */
  const setOpenAi = (
    input: number | null | undefined,
    output: number | null | undefined,
    cached: number | null | undefined,
  ) => {
    tokens.cacheReadTokens = cached ?? 0;
    tokens.inputTokens = Math.max(0, (input ?? 0) - tokens.cacheReadTokens);
    tokens.outputTokens = output ?? 0;
  };

  const parser = createParser({
    onEvent: ({ data }) => {
      if (data === "[DONE]") return;
      const event = eventSchema.safeParse(parseJson(data));
      if (!event.success) return;
      const { type, message, response, usage } = event.data;
      model = message?.model ?? response?.model ?? event.data.model ?? model;
      if (message?.usage) take(message.usage, false);
      if (response?.usage) take(response.usage, type === "response.completed" || type === "response.incomplete");
      if (usage) take(usage, type === "message_delta" || protocol === "chat");
    },
  });
  const decoder = new TextDecoder();

  return {
    push(chunk: Uint8Array): void {
      seenBytes += chunk.length;
      const text = decoder.decode(chunk, { stream: true });
      if (streamed) parser.feed(text);
      else if (body.length < 4 * 2 ** 20) body += text;
    },
    end(): MeteredUsage {
      if (!streamed) {
        const answer = messageSchema.safeParse(parseJson(body));
        model = (answer.success ? answer.data.model : null) ?? model;
        if (answer.success && answer.data.usage) take(answer.data.usage, true);
      }
      // A stream that was cut says nothing of its output: about four bytes of text a token, and half of an event is wrapping.
      if (!complete) tokens.outputTokens = Math.max(tokens.outputTokens, Math.ceil(seenBytes / 8));
      return { ...tokens, requests: 1, model, estimated: !complete };
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
