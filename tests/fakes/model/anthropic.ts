import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { ModelAnswer } from "./answer.ts";
import { isRecord, propertiesOf, records, textOf, type Json, type Message, type ModelRequest } from "./request.ts";
import { pieces, sendJson, startEvents } from "./sse.ts";

/** Anthropic Messages: https://docs.anthropic.com/en/api/messages */
export function parseMessages(body: Json): ModelRequest {
  const format = isRecord(body["output_config"]) ? body["output_config"]["format"] : body["output_format"];
  const messages = records(body["messages"]);
  return {
    model: String(body["model"]),
    stream: body["stream"] === true,
    // Newer clients also put messages of role "system" between the others.
    system: [body["system"], ...messages.filter(isSystem)].map(textOf).join("\n"),
    messages: messages.filter((message) => !isSystem(message)).map(parseMessage),
    tools: records(body["tools"]).map((tool) => ({
      name: String(tool["name"]),
      kind: "function",
      properties: propertiesOf(tool["input_schema"]),
    })),
    schema: isRecord(format) ? format["schema"] : undefined,
  };
}

function isSystem(message: Json): boolean {
  return message["role"] === "system";
}

function parseMessage(message: Json): Message {
  const blocks =
    typeof message["content"] === "string" ? [{ type: "text", text: message["content"] }] : records(message["content"]);
  return {
    role: message["role"] === "assistant" ? "assistant" : "user",
    text: blocks
      .filter((block) => block["type"] === "text")
      .map(textOf)
      .join("\n"),
    toolCalls: blocks.filter((block) => block["type"] === "tool_use").length,
    toolResults: blocks.filter((block) => block["type"] === "tool_result").map((block) => textOf(block["content"])),
  };
}

export async function answerMessages(
  request: ModelRequest,
  answer: ModelAnswer,
  response: ServerResponse,
): Promise<void> {
  const content = answer.parts.map((part) => {
    if ("think" in part) return { type: "thinking", thinking: part.think, signature: "c3RhbmQtaW4=" };
    if ("say" in part) return { type: "text", text: part.say };
    return {
      type: "tool_use",
      id: `toolu_${randomUUID().replaceAll("-", "")}`,
      name: part.call.name,
      input: JSON.parse(part.call.input) as unknown,
    };
  });
  const stop = answer.parts.some((part) => "call" in part) ? "tool_use" : "end_turn";
  const usage = { input_tokens: answer.usage.input, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  const message = {
    id: `msg_${randomUUID().replaceAll("-", "")}`,
    type: "message",
    role: "assistant",
    model: request.model,
    stop_sequence: null,
  };
  if (!request.stream) {
    sendJson(response, 200, {
      ...message,
      content,
      stop_reason: stop,
      usage: { ...usage, output_tokens: answer.usage.output },
    });
    return;
  }
  const events = startEvents(response, answer.delayMs);
  await events.send("message_start", {
    type: "message_start",
    message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
  });
  for (const [index, part] of answer.parts.entries()) {
    const block = content[index];
    const empty =
      "think" in part
        ? { ...block, thinking: "", signature: "" }
        : "say" in part
          ? { ...block, text: "" }
          : { ...block, input: {} };
    await events.send("content_block_start", { type: "content_block_start", index, content_block: empty });
    const delta = (body: Json) =>
      events.send("content_block_delta", { type: "content_block_delta", index, delta: body });
    if ("think" in part) {
      for (const piece of pieces(part.think)) await delta({ type: "thinking_delta", thinking: piece });
      await delta({ type: "signature_delta", signature: "c3RhbmQtaW4=" });
    } else if ("say" in part) for (const piece of pieces(part.say)) await delta({ type: "text_delta", text: piece });
    else for (const piece of pieces(part.call.input)) await delta({ type: "input_json_delta", partial_json: piece });
    await events.send("content_block_stop", { type: "content_block_stop", index });
  }
  await events.send("message_delta", {
    type: "message_delta",
    delta: { stop_reason: stop, stop_sequence: null },
    usage: { output_tokens: answer.usage.output },
  });
  await events.send("message_stop", { type: "message_stop" });
  events.end();
}
