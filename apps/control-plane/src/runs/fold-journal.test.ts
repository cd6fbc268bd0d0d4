import { expect, test } from "vitest";
import type { JournalBody, JournalEntry } from "@alcove/contract/box/run";
import { createFold, type Folded } from "./fold-journal.ts";

function journal(...bodies: JournalBody[]): JournalEntry[] {
  return bodies.map((body, index) => ({
    seq: index + 1,
    at: new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString(),
    ...body,
  }));
}

function foldAll(entries: readonly JournalEntry[]): Folded[] {
  const fold = createFold();
  return entries.flatMap((entry) => fold.take(entry));
}

const durable = (folded: readonly Folded[]) => folded.filter((item) => item.type !== "text" && item.type !== "output");
const said = (text: string): JournalBody => ({
  type: "update",
  update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } },
});
const thought = (text: string): JournalBody => ({
  type: "update",
  update: { sessionUpdate: "agent_thought_chunk", content: { type: "text", text } },
});
const tool = (update: Record<string, unknown>): JournalBody => ({
  type: "update",
  update: { sessionUpdate: "tool_call_update", ...update },
});
const done: JournalBody = { type: "end", outcome: "done", stopReason: "end_turn" };

test("chunks of one message become one event, and a thought before it another", () => {
  const folded = foldAll(journal(thought("let me "), thought("see"), said("Hel"), said("lo"), done));
  expect(durable(folded)).toEqual([
    {
      type: "event",
      event: { kind: "agent_thought", data: { item: "t1", text: "let me see", cut: false, durationMs: 2000 } },
    },
    { type: "event", event: { kind: "agent_message", data: { item: "m3", text: "Hello", cut: false } } },
    expect.objectContaining({ type: "end" }),
  ]);
  expect(folded.filter((item) => item.type === "text").map((item) => item.text)).toEqual([
    "let me ",
    "see",
    "Hel",
    "lo",
  ]);
});

test("a tool call is given when it starts and, whole, when it ends", () => {
  const [first, second, ...rest] = durable(
    foldAll(
      journal(
        tool({
          toolCallId: "c1",
          title: "`ls -la`",
          kind: "execute",
          status: "pending",
          rawInput: { command: "ls -la" },
        }),
        tool({ toolCallId: "c1", status: "in_progress" }),
        tool({
          toolCallId: "c1",
          status: "completed",
          content: [{ type: "content", content: { type: "text", text: "```console\na\nb\n```" } }],
        }),
        tool({ toolCallId: "c1", status: "completed" }),
      ),
    ),
  );
  expect(first).toMatchObject({
    event: { kind: "tool_call", data: { title: "ls -la", command: "ls -la", status: "pending" } },
  });
  expect(second).toMatchObject({
    event: {
      kind: "tool_call_update",
      data: { status: "completed", durationMs: 2000, content: [{ type: "output", text: "a\nb" }] },
    },
  });
  expect(rest).toEqual([]);
});

test("an edit shows its diff with a path inside the workspace", () => {
  const edit = tool({
    toolCallId: "e",
    kind: "edit",
    status: "completed",
    title: "Write a.md",
    content: [{ type: "diff", path: "/workspace/user/projects/a.md", oldText: null, newText: "hi" }],
    locations: [{ path: "/workspace/user/projects/a.md" }],
  });
  expect(durable(foldAll(journal(edit)))[0]).toMatchObject({
    event: {
      data: {
        content: [{ type: "diff", path: "user/projects/a.md", oldText: null, newText: "hi" }],
        locations: [{ path: "user/projects/a.md" }],
      },
    },
  });
});

test("an agent that dies leaves its open message marked as cut and its open call as failed", () => {
  const folded = durable(
    foldAll(
      journal(tool({ toolCallId: "c", title: "sleep", kind: "execute", status: "in_progress" }), said("I was"), {
        type: "end",
        outcome: "died",
        exitCode: null,
        signal: "SIGKILL",
      }),
    ),
  );
  expect(folded).toEqual([
    expect.objectContaining({ event: expect.objectContaining({ kind: "tool_call" }) }),
    { type: "event", event: { kind: "agent_message", data: { item: "m2", text: "I was", cut: true } } },
    expect.objectContaining({
      event: expect.objectContaining({ kind: "tool_call_update", data: expect.objectContaining({ status: "failed" }) }),
    }),
    expect.objectContaining({ type: "end" }),
  ]);
});

test("whoever takes over at any entry stores exactly the rest", () => {
  const entries = journal(
    thought("a"),
    said("b"),
    tool({ toolCallId: "1", title: "x", kind: "execute", status: "pending" }),
    said("c"),
    { type: "permission", id: "p", request: { toolCall: {}, options: [] } },
    { type: "permission_result", id: "p", outcome: { outcome: "selected", optionId: "ok" } },
    tool({ toolCallId: "1", status: "completed" }),
    said("d"),
    done,
  );
  const whole = durable(foldAll(entries));
  for (let at = 0; at <= entries.length; at += 1) {
    const stored = durable(foldAll(entries.slice(0, at)));
    expect([...stored, ...whole.slice(stored.length)]).toEqual(whole);
  }
});

test("updates that are not understood are passed by", () => {
  expect(
    foldAll(
      journal(
        { type: "update", update: { sessionUpdate: "unheard_of" } },
        { type: "update", update: { sessionUpdate: "agent_message_chunk" } },
        { type: "update", update: { sessionUpdate: "plan", entries: "none" } },
        tool({ toolCallId: "odd", kind: 7, status: "later", content: "no", locations: [{}] }),
        { type: "stray", line: "npm notice" },
      ),
    ).map((item) => item.type),
  ).toEqual(["event"]);
});
