import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { ModelAnswer } from "./answer.ts";
import { isRecord, propertiesOf, records, textOf, type Json, type Message, type ModelRequest } from "./request.ts";
import { pieces, sendJson, startEvents } from "./sse.ts";

/** OpenAI Chat Completions: https://platform.openai.com/docs/api-reference/chat */
export function parseChat(body: Json): ModelRequest {
  const format = isRecord(body["response_format"]) ? body["response_format"]["json_schema"] : undefined;
  const messages = records(body["messages"]);
  return {
    model: String(body["model"]),
    stream: body["stream"] === true,
    system: messages
      .filter((message) => message["role"] === "system" || message["role"] === "developer")
      .map((message) => textOf(message["content"]))
      .join("\n"),
    messages: messages.flatMap(parseMessage),
    tools: records(body["tools"])
      .map((tool) => tool["function"])
      .filter(isRecord)
      .map((tool) => ({ name: String(tool["name"]), kind: "function", properties: propertiesOf(tool["parameters"]) })),
    schema: isRecord(format) ? format["schema"] : undefined,
  };
}

function parseMessage(message: Json): Message[] {
  const text = textOf(message["content"]);
  if (message["role"] === "tool") return [{ role: "user", text: "", toolCalls: 0, toolResults: [text] }];
  if (message["role"] === "user") return [{ role: "user", text, toolCalls: 0, toolResults: [] }];
  return message["role"] === "assistant"
    ? [{ role: "assistant", text, toolCalls: records(message["tool_calls"]).length, toolResults: [] }]
    : [];
}

export async function answerChat(
  request: ModelRequest,
  answer: ModelAnswer,
  response: ServerResponse,
  body: Json,
): Promise<void> {
  const calls = answer.parts
    .flatMap((part) => ("call" in part ? [part.call] : []))
    .map((call, index) => ({
      index,
      id: `call_${randomUUID().replaceAll("-", "")}`,
      type: "function",
      function: { name: call.name, arguments: call.input },
    }));
  const finish = calls.length > 0 ? "tool_calls" : "stop";
  const usage = {
    prompt_tokens: answer.usage.input,
    completion_tokens: answer.usage.output,
    total_tokens: answer.usage.input + answer.usage.output,
  };
  const base = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: request.model };
  const said = answer.parts.flatMap((part) => ("say" in part ? [part.say] : [])).join("\n");
  if (!request.stream) {
    const message = {
      role: "assistant",
      content: said === "" ? null : said,
      ...(calls.length > 0 && { tool_calls: calls }),
    };
    sendJson(response, 200, {
      ...base,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: finish }],
      usage,
    });
    return;
  }
  const events = startEvents(response, answer.delayMs);
  const send = (delta: Json, finishReason: string | null = null) =>
    events.send(null, {
      ...base,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason: finishReason }],
    });
  await send({ role: "assistant", content: "" });
  for (const part of answer.parts) {
    if ("think" in part) for (const piece of pieces(part.think)) await send({ reasoning_content: piece });
    if ("say" in part) for (const piece of pieces(part.say)) await send({ content: piece });
  }
  for (const call of calls) {
    await send({ tool_calls: [{ ...call, function: { name: call.function.name, arguments: "" } }] });
    for (const piece of pieces(call.function.arguments))
      await send({ tool_calls: [{ index: call.index, function: { arguments: piece } }] });
  }
  await send({}, finish);
  if (isRecord(body["stream_options"]) && body["stream_options"]["include_usage"] === true) {
    await events.send(null, { ...base, object: "chat.completion.chunk", choices: [], usage });
  }
  events.end("[DONE]");
}
