import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { ModelAnswer, Part } from "./answer.ts";
import {
  isRecord,
  propertiesOf,
  records,
  textOf,
  type Json,
  type Message,
  type ModelRequest,
  type Tool,
} from "./request.ts";
import { pieces, sendJson, startEvents } from "./sse.ts";

/** OpenAI Responses: https://platform.openai.com/docs/api-reference/responses */
export function parseResponses(body: Json): ModelRequest {
  const format = isRecord(body["text"]) ? body["text"]["format"] : undefined;
  const input = typeof body["input"] === "string" ? [{ role: "user", content: body["input"] }] : records(body["input"]);
  return {
    model: String(body["model"]),
    stream: body["stream"] === true,
    system: [
      textOf(body["instructions"]),
      ...input.filter((item) => item["role"] === "developer" || item["role"] === "system").map(textOf),
    ].join("\n"),
    messages: input.flatMap(parseItem),
    tools: records(body["tools"]).flatMap(parseTool),
    schema: isRecord(format) && format["type"] === "json_schema" ? format["schema"] : undefined,
  };
}

function parseItem(item: Json): Message[] {
  const type = typeof item["type"] === "string" ? item["type"] : "message";
  if (type.endsWith("_call_output"))
    return [{ role: "user", text: "", toolCalls: 0, toolResults: [textOf(item["output"])] }];
  if (type.endsWith("_call")) return [{ role: "assistant", text: "", toolCalls: 1, toolResults: [] }];
  if (type !== "message" || item["role"] === "developer" || item["role"] === "system") return [];
  return [
    {
      role: item["role"] === "assistant" ? "assistant" : "user",
      text: textOf(item["content"]),
      toolCalls: 0,
      toolResults: [],
    },
  ];
}

function parseTool(tool: Json): Tool[] {
  if (tool["type"] === "custom") return [{ name: String(tool["name"]), kind: "freeform", properties: {} }];
  return tool["type"] === "function"
    ? [{ name: String(tool["name"]), kind: "function", properties: propertiesOf(tool["parameters"]) }]
    : [];
}

interface Item {
  readonly part: Part;
  readonly whole: Json & { readonly id: string };
}

export async function answerResponses(
  request: ModelRequest,
  answer: ModelAnswer,
  response: ServerResponse,
): Promise<void> {
  const items: Item[] = answer.parts.map((part) => ({ part, whole: outputItem(part) }));
  const total = answer.usage.input + answer.usage.output;
  const usage = {
    input_tokens: answer.usage.input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: answer.usage.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: total,
  };
  const base = {
    id: `resp_${randomUUID().replaceAll("-", "")}`,
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    model: request.model,
  };
  const completed = { ...base, status: "completed", output: items.map((item) => item.whole), usage };
  if (!request.stream) {
    sendJson(response, 200, completed);
    return;
  }
  const events = startEvents(response, answer.delayMs);
  let number = 0;
  const send = (type: string, body: Json) => events.send(type, { type, sequence_number: number++, ...body });
  await send("response.created", { response: { ...base, status: "in_progress", output: [] } });
  for (const [index, { part, whole }] of items.entries()) {
    const place = { output_index: index, item_id: whole.id };
    await send("response.output_item.added", { output_index: index, item: emptied(part, whole) });
    if ("think" in part) {
      await send("response.reasoning_summary_part.added", {
        ...place,
        summary_index: 0,
        part: { type: "summary_text", text: "" },
      });
      for (const delta of pieces(part.think))
        await send("response.reasoning_summary_text.delta", { ...place, summary_index: 0, delta });
      await send("response.reasoning_summary_text.done", { ...place, summary_index: 0, text: part.think });
      await send("response.reasoning_summary_part.done", {
        ...place,
        summary_index: 0,
        part: { type: "summary_text", text: part.think },
      });
    } else if ("say" in part) {
      await send("response.content_part.added", {
        ...place,
        content_index: 0,
        part: { type: "output_text", text: "", annotations: [] },
      });
      for (const delta of pieces(part.say))
        await send("response.output_text.delta", { ...place, content_index: 0, delta });
      await send("response.output_text.done", { ...place, content_index: 0, text: part.say });
      await send("response.content_part.done", {
        ...place,
        content_index: 0,
        part: { type: "output_text", text: part.say, annotations: [] },
      });
    } else {
      const name =
        part.call.kind === "freeform" ? "response.custom_tool_call_input" : "response.function_call_arguments";
      for (const delta of pieces(part.call.input)) await send(`${name}.delta`, { ...place, delta });
      await send(`${name}.done`, {
        ...place,
        [part.call.kind === "freeform" ? "input" : "arguments"]: part.call.input,
      });
    }
    await send("response.output_item.done", { output_index: index, item: whole });
  }
  await send("response.completed", { response: completed });
  events.end();
}

function outputItem(part: Part): Item["whole"] {
  const suffix = randomUUID().replaceAll("-", "");
  if ("think" in part) {
    return {
      id: `rs_${suffix}`,
      type: "reasoning",
      summary: [{ type: "summary_text", text: part.think }],
      encrypted_content: "c3RhbmQtaW4=",
    };
  }
  if ("say" in part) {
    const content = [{ type: "output_text", text: part.say, annotations: [] }];
    return { id: `msg_${suffix}`, type: "message", role: "assistant", status: "completed", content };
  }
  const { name, input, kind } = part.call;
  const call = { call_id: `call_${suffix}`, name, status: "completed" };
  return kind === "freeform"
    ? { id: `ctc_${suffix}`, type: "custom_tool_call", ...call, input }
    : { id: `fc_${suffix}`, type: "function_call", ...call, arguments: input };
}

function emptied(part: Part, whole: Item["whole"]): Json {
  if ("think" in part) return { ...whole, summary: [] };
  if ("say" in part) return { ...whole, status: "in_progress", content: [] };
  return { ...whole, status: "in_progress", [part.call.kind === "freeform" ? "input" : "arguments"]: "" };
}
