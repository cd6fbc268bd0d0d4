import type { RunEvent } from "@alcove/contract/api/event";
import type { Run } from "@alcove/contract/api/run";
import type { RunStreamItem } from "@alcove/sdk/runs";
import { expect, test } from "vitest";
import { createRunRenderer } from "./run-rendering.ts";

const event = (body: Pick<RunEvent, "kind" | "data">): RunStreamItem => ({
  type: "event",
  event: { run: "run_1", seq: 1, at: "2026-01-01T00:00:00Z", ...body } as RunEvent,
});
const delta = (item: string, at: number, text: string): RunStreamItem => ({
  type: "delta",
  delta: { run: "run_1", item, of: "agent_message", at, text },
});
const call = {
  id: "t",
  title: "Write",
  kind: "edit",
  status: "pending",
  content: [],
  locations: [],
  command: null,
  durationMs: null,
};

function render(items: RunStreamItem[]) {
  const renderer = createRunRenderer({ color: false });
  const pieces = items.flatMap((item) => renderer.render(item));
  const textOf = (to: "answer" | "progress") =>
    pieces
      .filter((piece) => piece.to === to)
      .map((piece) => piece.text)
      .join("");
  return { answer: textOf("answer"), progress: textOf("progress") };
}

test("a message that was seen live is printed once", () => {
  const stored = event({ kind: "agent_message", data: { item: "m", text: "Hello world", cut: false } });
  expect(render([delta("m", 0, "Hello"), delta("m", 5, " world"), stored]).answer).toBe("Hello world\n");
});

test("what was missed live comes with the stored message", () => {
  const stored = event({ kind: "agent_message", data: { item: "m", text: "Hello world", cut: false } });
  expect(render([delta("m", 0, "Hel"), delta("m", 8, "rld"), stored]).answer).toBe("Hello world\n");
  expect(render([stored]).answer).toBe("Hello world\n");
});

test("a tool call interrupts a message on a line of its own and goes to standard error", () => {
  const { answer, progress } = render([
    delta("m", 0, "First"),
    event({ kind: "tool_call", data: { ...call, command: "ls -l" } } as never),
  ]);
  expect(answer).toBe("First\n");
  expect(progress).toBe("• $ ls -l\n");
});

test("a call that is named late is printed once, with its command and its result", () => {
  const { progress } = render([
    event({ kind: "tool_call", data: { ...call, title: "Terminal", command: null, locations: [] } } as never),
    event({
      kind: "tool_call_update",
      data: { ...call, command: "ls -l", status: "in_progress", content: [] },
    } as never),
    event({
      kind: "tool_call_update",
      data: {
        ...call,
        command: "ls -l",
        status: "completed",
        content: [{ type: "output", text: "a\nb\n", exitCode: 0 }],
      },
    } as never),
  ]);
  expect(progress).toBe("• $ ls -l\n  a\n  b\n");
});

test("escape sequences of a workspace do not reach the terminal", () => {
  const { answer } = render([event({ kind: "agent_message", data: { item: "m", text: "a\x1b[2Jb", cut: false } })]);
  expect(answer).toBe("a\\x1b[2Jb\n");
});

test("the end lists files and says why a run failed and what to do", () => {
  const run = {
    state: "failed",
    files: [{ path: "user/projects/update.md", change: "added", kind: "file", deliverable: true, size: 1400, url: "" }],
    usage: { inputTokens: 12, outputTokens: 3, cacheReadTokens: 0, cacheWriteTokens: 0, requests: 1 },
    costUsd: null,
    error: { code: "model_key_refused", detail: "The key was refused.", hint: "Enter a valid key." },
  } as unknown as Run;
  const text = createRunRenderer({ color: false })
    .finish(run)
    .map((piece) => piece.text)
    .join("");
  expect(text).toBe(
    "★ added user/projects/update.md (1.4 kB)\n12 tokens in, 3 out\nmodel_key_refused: The key was refused.\nEnter a valid key.\n",
  );
});
