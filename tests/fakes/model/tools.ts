import type { ModelRequest, Tool } from "./request.ts";
import { textOf } from "./request.ts";

/** A call of a tool that the request offers. */
export interface ToolCall {
  readonly name: string;
  readonly kind: Tool["kind"];
  /** JSON for a function, plain text for a freeform tool. */
  readonly input: string;
}

/** Maps "write a file" to a tool of the request: one that takes a path and a content, a patch tool, or the shell. */
export function writeCall(request: ModelRequest, path: string, content: string): ToolCall | null {
  const directory = workingDirectory(request);
  const full = path.startsWith("/") || directory === null ? path : `${directory}/${path}`;
  for (const tool of request.tools) {
    const pathName = ["file_path", "filePath", "path", "filename"].find((name) => name in tool.properties);
    const contentName = ["content", "contents"].find((name) => name in tool.properties);
    if (/write|create/i.test(tool.name) && pathName !== undefined && contentName !== undefined) {
      return call(tool, { [pathName]: full, [contentName]: content });
    }
  }
  const patch = request.tools.find((tool) => tool.name === "apply_patch");
  if (patch !== undefined) {
    const lines = content
      .replace(/\n$/, "")
      .split("\n")
      .map((line) => `+${line}`);
    const text = ["*** Begin Patch", `*** Add File: ${path}`, ...lines, "*** End Patch"].join("\n");
    return patch.kind === "freeform"
      ? { name: patch.name, kind: "freeform", input: text }
      : call(patch, { [Object.keys(patch.properties)[0] ?? "input"]: text });
  }
  return shellCall(request, `cat > '${path}' <<'ALCOVE_END'\n${content}\nALCOVE_END`);
}

/** Maps "run a command" to the request's shell. */
export function shellCall(request: ModelRequest, command: string): ToolCall | null {
  for (const tool of request.tools) {
    if (!/^(?:bash|shell|shell_command|exec_command|run_shell_command|execute|terminal)$/i.test(tool.name)) continue;
    const name = ["command", "cmd"].find((candidate) => candidate in tool.properties);
    if (name === undefined) continue;
    const property = tool.properties[name];
    const list = typeof property === "object" && property !== null && "type" in property && property.type === "array";
    const extra = "description" in tool.properties ? { description: "Runs a command of the script" } : {};
    return call(tool, { [name]: list ? ["bash", "-lc", command] : command, ...extra });
  }
  return null;
}

function call(tool: Tool, input: Readonly<Record<string, unknown>>): ToolCall {
  return { name: tool.name, kind: "function", input: JSON.stringify(input) };
}

/** The folder that the agent says it works in. */
function workingDirectory(request: ModelRequest): string | null {
  const everything = [request.system, ...request.messages.map((message) => textOf(message.text))].join("\n");
  const match = /(?:working directory|<cwd>|\bcwd\b)[^\n/]{0,20}(\/[^\s<>"'`]+)/i.exec(everything);
  return match?.[1] ?? null;
}
