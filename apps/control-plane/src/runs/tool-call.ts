import { z } from "zod";
import { toolCallSchema, type ToolCall, type ToolContent } from "@alcove/contract/api/event";

/** The largest text of one tool call that is stored, in UTF-16 units: the beginning and the end of longer ones. */
const textLimit = 64 * 1024;

const contentSchema = z.union([
  z.object({ type: z.literal("content"), content: z.object({ type: z.literal("text"), text: z.string() }) }),
  z.object({ type: z.literal("diff"), path: z.string(), oldText: z.string().nullish(), newText: z.string() }),
]);

const updateSchema = z.object({
  title: z.string().nullish(),
  kind: toolCallSchema.shape.kind.nullish().catch(null),
  status: toolCallSchema.shape.status.nullish().catch(null),
  content: z.array(z.unknown()).nullish().catch(null),
  locations: z
    .array(z.object({ path: z.string(), line: z.number().int().nullish() }))
    .nullish()
    .catch(null),
  rawInput: z.unknown().optional(),
  rawOutput: z.unknown().optional(),
});

const commandSchema = z
  .object({ command: z.union([z.string(), z.array(z.string())]) })
  .or(z.object({ cmd: z.string() }));
const outputSchema = z.object({
  exitCode: z.number().int().nullish(),
  exit_code: z.number().int().nullish(),
  output: z.string().nullish(),
  formatted_output: z.string().nullish(),
  aggregated_output: z.string().nullish(),
  stdout: z.string().nullish(),
});

/** A tool call as we show it: what is known so far, changed by one ACP v1 `tool_call` or `tool_call_update`. */
export function toolCallFrom(id: string, body: Record<string, unknown>, before: ToolCall | undefined): ToolCall {
  const update = updateSchema.parse(body);
  const kind = update.kind ?? before?.kind ?? "other";
  const command = commandOf(update.rawInput) ?? before?.command ?? null;
  return {
    id,
    kind,
    command: kind === "execute" ? command : null,
    title: tidyTitle(update.title) ?? before?.title ?? command ?? "Tool",
    status: update.status ?? before?.status ?? "pending",
    content: contentOf(update, kind) ?? before?.content ?? [],
    locations:
      update.locations?.map(({ path, line }) => ({ path: withinWorkspace(path), line: line ?? null })) ??
      before?.locations ??
      [],
    durationMs: null,
  };
}

function contentOf(update: z.infer<typeof updateSchema>, kind: ToolCall["kind"]): ToolContent[] | undefined {
  const parts: ToolContent[] = [];
  for (const item of update.content ?? []) {
    const part = contentSchema.safeParse(item);
    if (!part.success) continue;
    if (part.data.type === "diff") {
      const { path, oldText, newText } = part.data;
      parts.push({
        type: "diff",
        path: withinWorkspace(path),
        oldText: oldText == null ? null : clip(oldText),
        newText: clip(newText),
      });
    } else if (kind === "execute") {
      parts.push({
        type: "output",
        text: clip(withoutFence(part.data.content.text)),
        exitCode: exitCodeOf(update.rawOutput),
      });
    } else {
      parts.push({ type: "text", text: clip(part.data.content.text) });
    }
  }
  if (parts.length > 0) return parts;
  const output = outputSchema.safeParse(update.rawOutput);
  const text = output.success
    ? (output.data.formatted_output ?? output.data.aggregated_output ?? output.data.output ?? output.data.stdout)
    : null;
  return kind === "execute" && text
    ? [{ type: "output", text: clip(text), exitCode: exitCodeOf(update.rawOutput) }]
    : undefined;
}

function exitCodeOf(rawOutput: unknown): number | null {
  const output = outputSchema.safeParse(rawOutput);
  return output.success ? (output.data.exitCode ?? output.data.exit_code ?? null) : null;
}

function commandOf(rawInput: unknown): string | null {
  const input = commandSchema.safeParse(rawInput);
  if (!input.success) return null;
  if ("cmd" in input.data) return input.data.cmd;
  const { command } = input.data;
  if (typeof command === "string") return command;
  const [shell, flag, script] = command;
  return shell && /(?:^|\/)(?:ba|z|da)?sh$/.test(shell) && flag && /^-l?c$/.test(flag) && script
    ? script
    : command.join(" ");
}

/** Agents put commands into back quotes and shell output into Markdown fences, for chats that render titles as Markdown. */
function tidyTitle(title: string | null | undefined): string | undefined {
  const text = title?.trim().replace(/^`+([\s\S]*?)`+$/, "$1");
  return text ? text.slice(0, 500) : undefined;
}

function withoutFence(text: string): string {
  return /^\s*```[a-z]*\n([\s\S]*?)\n?```\s*$/.exec(text)?.[1] ?? text;
}

function withinWorkspace(path: string): string {
  return path.startsWith("/workspace/") ? path.slice("/workspace/".length) : path;
}

function clip(text: string): string {
  if (text.length <= textLimit) return text;
  const half = textLimit / 2;
  return `${text.slice(0, half)}\n… ${text.length - textLimit} characters left out …\n${text.slice(-half)}`;
}
