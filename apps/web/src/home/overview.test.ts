import type { Approval, Run } from "@alcove/contract/api/run";
import { expect, test } from "vitest";
import { overviewOf, spentToday } from "./overview.ts";

function run(id: string, changes: Partial<Run> = {}): Run {
  return {
    id,
    session: `ses_${id}`,
    workspace: "ws_1",
    workspaceName: "blog",
    agent: "codex",
    model: null,
    mode: "process",
    prompt: "Do it",
    title: "Do it",
    state: "succeeded",
    text: "",
    files: [],
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, requests: 0 },
    costUsd: null,
    error: null,
    undo: "none",
    lastSeq: 1,
    createdAt: "2026-01-03T10:00:00.000Z",
    startedAt: null,
    endedAt: null,
    ...changes,
  };
}

const approval: Approval = {
  id: "apr_1",
  run: "a",
  workspace: "ws_1",
  workspaceName: "blog",
  agent: "codex",
  title: "Push?",
  subject: null,
  options: [],
  state: "open",
  answer: null,
  createdAt: "2026-01-03T09:00:00.000Z",
};

test("open questions come before failed runs, whatever their time", () => {
  const { needs } = overviewOf([approval], [run("b", { state: "failed" })], new Set());
  expect(needs.map((need) => need.id)).toEqual(["apr_1", "b"]);
});

test("a failed run needs nobody once its conversation has gone on or it was put aside", () => {
  const failed = run("a", { state: "failed", session: "s" });
  const later = run("b", { session: "s", createdAt: "2026-01-03T11:00:00.000Z" });
  expect(overviewOf([], [failed, later], new Set()).needs).toEqual([]);
  expect(overviewOf([], [failed], new Set(["a"])).needs).toEqual([]);
  expect(overviewOf([], [failed], new Set(["a"])).finished).toEqual([failed]);
});

test("answered questions need nobody", () => {
  expect(overviewOf([{ ...approval, state: "answered" }], [], new Set()).needs).toEqual([]);
});

test("the day's cost is only told when the list reaches its beginning", () => {
  const now = Date.parse("2026-01-03T12:00:00.000Z");
  const runs = [run("a", { costUsd: 0.5 }), run("b", { costUsd: 1 })];
  expect(spentToday(runs, true, now)).toBe(1.5);
  expect(spentToday(runs, false, now)).toBeNull();
});
