import { defaultScript } from "./default-script.ts";
import { isRecord, propertiesOf, type Message, type ModelRequest } from "./request.ts";
import { findScript, stepsOfRound, type Script } from "./script.ts";
import { shellCall, writeCall, type ToolCall } from "./tools.ts";

/** What the model answers, whatever the protocol. */
export interface ModelAnswer {
  readonly parts: readonly Part[];
  readonly delayMs: number;
  readonly usage: { readonly input: number; readonly output: number };
}

export type Part = { think: string } | { say: string } | { call: ToolCall };

/** A failure that the script asks for; `key` names the place in the script. */
export interface Fault {
  readonly status: number;
  readonly times: number | null;
  readonly key: string;
}

/** Decides the answer from the request alone. `isSpent` tells whether a fault with `times` has happened often enough. */
export function answerRequest(
  request: ModelRequest,
  isSpent: (fault: Fault) => boolean,
): ModelAnswer | { fault: Fault } {
  // Agents also ask for titles and the like, without tools: any short sentence, or what the schema wants.
  if (request.schema !== undefined) return plain(request, JSON.stringify(fillSchema(request.schema)));
  if (request.tools.length === 0) return plain(request, "Work with documents");
  const { script, toolTurns } = situation(request);
  const parts: Part[] = [];
  let delayMs = 0;
  for (const step of stepsOfRound(script, toolTurns)) {
    if ("delay" in step) delayMs = step.delay;
    else if ("fault" in step) {
      const fault: Fault = {
        status: step.fault,
        times: step.times ?? null,
        key: `${JSON.stringify(script)}#${toolTurns}`,
      };
      if (!isSpent(fault)) return { fault };
    } else if ("think" in step || "say" in step) parts.push(step);
    else if (!("end" in step)) {
      const call =
        "shell" in step ? shellCall(request, step.shell) : writeCall(request, step.write.path, step.write.content);
      parts.push(call === null ? { say: "No tool is offered for the next step." } : { call });
    }
  }
  if (parts.length === 0) parts.push({ say: "Done." });
  return { parts, delayMs, usage: countUsage(request, parts) };
}

/** The newest prompt of the conversation, its script, and the tool calls made for it so far. */
function situation(request: ModelRequest): { script: Script; toolTurns: number } {
  const scripted = request.messages.findLastIndex(
    (message) => message.role === "user" && findScript(promptOf(message)),
  );
  const newest = request.messages.findLastIndex((message) => message.role === "user" && promptOf(message) !== "");
  // After an answer that was cut short agents ask to go on in words of their own: the script goes on too.
  const index = scripted >= 0 ? scripted : newest;
  const prompt = promptOf(request.messages[index]);
  const since = request.messages.slice(index + 1);
  const toolTurns = since.filter((message) => message.toolCalls > 0).length;
  const results = since.flatMap((message) => message.toolResults);
  return { script: findScript(prompt) ?? defaultScript(prompt, results), toolTurns };
}

/** The text without the blocks that agents put around what the user wrote. */
function promptOf(message: Message | undefined): string {
  return (message?.text ?? "").replaceAll(/<([a-zA-Z_-]+)[^>]*>[\s\S]*?<\/\1>/g, "").trim();
}

function plain(request: ModelRequest, text: string): ModelAnswer {
  const parts: Part[] = [{ say: text }];
  return { parts, delayMs: 0, usage: countUsage(request, parts) };
}

/** Four characters to a token. */
function countUsage(request: ModelRequest, parts: readonly Part[]): ModelAnswer["usage"] {
  const size =
    request.system.length +
    request.messages.reduce((sum, message) => sum + message.text.length + message.toolResults.join("").length, 0);
  return { input: Math.max(1, Math.ceil(size / 4)), output: Math.max(1, Math.ceil(JSON.stringify(parts).length / 4)) };
}

/** A value that the schema accepts. */
function fillSchema(schema: unknown): unknown {
  if (!isRecord(schema)) return "ok";
  if (Array.isArray(schema["enum"])) return schema["enum"][0];
  if ("const" in schema) return schema["const"];
  const type: unknown = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  switch (type) {
    case "object": {
      return Object.fromEntries(Object.entries(propertiesOf(schema)).map(([name, inner]) => [name, fillSchema(inner)]));
    }
    case "array":
      return [];
    case "boolean":
      return false;
    case "number":
    case "integer":
      return 0;
    default:
      return "Work with documents";
  }
}
