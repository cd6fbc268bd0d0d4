import { expect, test } from "vitest";
import { costUsd } from "./prices.ts";
import { createMeter } from "./usage.ts";

const sse = (...events: unknown[]) =>
  Buffer.from(events.map((event) => `event: x\ndata: ${JSON.stringify(event)}\n\n`).join(""));

test("a streamed Anthropic answer is counted, however its bytes are cut", () => {
  const bytes = sse(
    {
      type: "message_start",
      message: {
        model: "claude-sonnet-4-5",
        usage: { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 1 },
      },
    },
    { type: "content_block_delta", delta: { type: "text_delta", text: "hé" } },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 42 } },
  );
  for (const size of [1, 7, bytes.length]) {
    const meter = createMeter("messages", "asked", true);
    for (let at = 0; at < bytes.length; at += size) meter.push(bytes.subarray(at, at + size));
    expect(meter.end()).toEqual({
      model: "claude-sonnet-4-5",
      inputTokens: 10,
      outputTokens: 42,
      cacheReadTokens: 5,
      cacheWriteTokens: 0,
      requests: 1,
      estimated: false,
    });
  }
});

test("cached tokens of OpenAI are taken out of its input", () => {
  const meter = createMeter("responses", "gpt-5.5", true);
  meter.push(
    sse({
      type: "response.completed",
      response: {
        model: "gpt-5.5",
        usage: { input_tokens: 100, input_tokens_details: { cached_tokens: 60 }, output_tokens: 9 },
      },
    }),
  );
  expect(meter.end()).toMatchObject({ inputTokens: 40, cacheReadTokens: 60, outputTokens: 9, estimated: false });
});

test("the last chunk of a chat stream is counted and its end mark is not JSON", () => {
  const meter = createMeter("chat", "m", true);
  meter.push(
    Buffer.concat([
      sse({ model: "m", choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } }),
      Buffer.from("data: [DONE]\n\n"),
    ]),
  );
  expect(meter.end()).toMatchObject({ inputTokens: 3, outputTokens: 4, estimated: false });
});

test("a plain JSON answer is counted", () => {
  const meter = createMeter("messages", "m", false);
  meter.push(Buffer.from(JSON.stringify({ model: "claude-x", usage: { input_tokens: 1, output_tokens: 2 } })));
  expect(meter.end()).toMatchObject({ model: "claude-x", inputTokens: 1, outputTokens: 2, estimated: false });
});

test("a stream that was cut is estimated and says so", () => {
  const meter = createMeter("messages", "m", true);
  meter.push(sse({ type: "message_start", message: { usage: { input_tokens: 10, output_tokens: 1 } } }));
  const usage = meter.end();
  expect(usage.estimated).toBe(true);
  expect(usage.outputTokens).toBeGreaterThan(1);
});

test("the cost follows the list price, and is unknown for an unknown model", () => {
  const usage = {
    inputTokens: 1_000_000,
    outputTokens: 100_000,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    requests: 1,
    estimated: false,
  };
  expect(costUsd({ ...usage, model: "anthropic/claude-sonnet-4-5" })).toBeCloseTo(4.5);
  expect(costUsd({ ...usage, model: "llama" })).toBeNull();
});
