import type { Delta, RunEvent, ToolCall } from "@alcove/contract/api/event";
import type { Run } from "@alcove/contract/api/run";
import type { RunStreamItem } from "@alcove/sdk/runs";
import { formatBytes, printable } from "./table.ts";

/** Text for the agent's answer (standard output) or for what goes on beside it (standard error). */
export type Piece = { to: "answer" | "progress"; text: string };

export type RunRenderer = {
  render(item: RunStreamItem): Piece[];
  /** The last lines: files, usage and, unless it succeeded, the reason. */
  finish(run: Run): Piece[];
};

const longestOutput = 20;

/** Turns a run's stream into text. Live text of a message is printed as it comes, and the stored message adds only what is missing. */
export function createRunRenderer({ color }: { color: boolean }): RunRenderer {
  const dim = (text: string) => (color ? `\x1b[2m${text}\x1b[0m` : text);
  const red = (text: string) => (color ? `\x1b[31m${text}\x1b[0m` : text);
  const printed = new Map<string, number>();
  const named = new Set<string>();
  let openItem: string | null = null;

  function closeItem(): Piece[] {
    if (openItem === null) return [];
    openItem = null;
    return [{ to: "answer", text: "\n" }];
  }

  const progress = (text: string): Piece[] => [...closeItem(), { to: "progress", text: `${dim(printable(text))}\n` }];

  /** Prints the part of the item's text that was not printed yet; `at` is where the text begins within the item. */
  function message(item: string, at: number, text: string): Piece[] {
    const known = printed.get(item) ?? 0;
    const fresh = at <= known ? text.slice(known - at) : "";
    if (fresh === "") return [];
    printed.set(item, known + fresh.length);
    const before = openItem === item ? [] : closeItem();
    openItem = item;
    return [...before, { to: "answer", text: printable(fresh) }];
  }

  const delta = ({ of, item, at, text }: Delta): Piece[] => (of === "agent_message" ? message(item, at, text) : []);

  function event(event: RunEvent): Piece[] {
    switch (event.kind) {
      case "agent_message":
        return [...message(event.data.item, 0, event.data.text), ...closeItem()];
      case "agent_thought":
        return progress(`· thought for ${(event.data.durationMs / 1000).toFixed(1)} s`);
      case "tool_call":
      case "tool_call_update":
        return toolCall(event.data);
      case "plan":
        return event.data.entries.flatMap((entry) =>
          progress(`${entry.status === "completed" ? "☑" : "☐"} ${entry.content}`),
        );
      case "step":
        return event.data.state === "done" ? [] : progress(`… ${event.data.detail || event.data.name}`);
      case "notice":
        return progress(`! ${event.data.text}`);
      case "permission.requested":
        return progress(
          `? ${event.data.title}${event.data.subject === null ? "" : `: ${event.data.subject}`} (answer it on the page)`,
        );
      case "permission.answered":
        return progress(`  ${event.data.label}`);
      case "permission.expired":
        return progress("  the question expired: the agent that asked is gone");
      case "port.opened":
        return progress(
          `• port ${event.data.port} is open${event.data.process === null ? "" : ` (${event.data.process})`}`,
        );
      case "run.state":
      case "session_info":
      case "usage":
      case "checkpoint":
      case "file.changed":
        return [];
    }
  }

  /** A call is named once, as soon as the agent has said what it does: many begin with a name for any call and fill in the command later. */
  function toolCall(call: ToolCall): Piece[] {
    const over = call.status === "completed" || call.status === "failed";
    const isNews = !named.has(call.id) && (over || call.command !== null || call.locations.length > 0);
    if (isNews) named.add(call.id);
    const heading = isNews ? progress(`• ${call.command === null ? call.title : `$ ${call.command}`}`) : [];
    return over ? [...heading, ...toolResult(call)] : heading;
  }

  function toolResult(call: ToolCall): Piece[] {
    const lines = call.content.flatMap((content) => {
      switch (content.type) {
        case "diff":
          return [`± ${content.path}`];
        case "output":
        case "text":
          return content.text.trimEnd() === "" ? [] : content.text.trimEnd().split("\n");
      }
    });
    const shown =
      lines.length > longestOutput
        ? [...lines.slice(0, longestOutput), `… ${lines.length - longestOutput} more lines`]
        : lines;
    const failed = call.status === "failed" ? ["failed"] : [];
    return [...shown, ...failed].flatMap((line) => progress(`  ${line}`));
  }

  return {
    render: (item) => (item.type === "delta" ? delta(item.delta) : event(item.event)),
    finish(run) {
      const files = run.files.flatMap((file) => {
        const size = file.size === null ? "" : ` (${formatBytes(file.size)})`;
        return progress(`${file.deliverable ? "★" : "·"} ${file.change} ${file.path}${size}`);
      });
      const { inputTokens, outputTokens } = run.usage;
      const cost = run.costUsd === null ? "" : `, $${run.costUsd.toFixed(4)}`;
      const usage =
        inputTokens + outputTokens > 0 ? progress(`${inputTokens} tokens in, ${outputTokens} out${cost}`) : [];
      return [...closeItem(), ...files, ...usage, ...ending(run)];
    },
  };

  function ending(run: Run): Piece[] {
    if (run.state === "succeeded") return [];
    const reason =
      run.error === null ? `The run was ${run.state}.` : `${run.error.code}: ${run.error.detail}\n${run.error.hint}`;
    return [{ to: "progress", text: `${red(printable(reason))}\n` }];
  }
}
