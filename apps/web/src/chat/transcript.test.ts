import type { Delta, EventBody, RunEvent } from "@alcove/contract/api/event";
import { describe, expect, test } from "vitest";
import { emptyTranscript, withDelta, withEvent, type Transcript } from "./transcript.ts";

const at = "2026-01-03T10:42:00.000Z";

function story(...bodies: EventBody[]): RunEvent[] {
  return bodies.map((body, index) => ({ run: "run_1", seq: index + 1, at, ...body }));
}

function told(events: RunEvent[], from: Transcript = emptyTranscript("run_1")): Transcript {
  return events.reduce(withEvent, from);
}

function delta(item: string, offset: number, text: string, of: Delta["of"] = "agent_message"): Delta {
  return { run: "run_1", item, of, at: offset, text };
}

function call(status: "in_progress" | "completed", id = "t1") {
  return {
    id,
    title: "check",
    kind: "execute" as const,
    status,
    content: [],
    locations: [],
    command: "check.py",
    durationMs: null,
  };
}

const message = (item: string, text: string): EventBody => ({
  kind: "agent_message",
  data: { item, text, cut: false },
});
const ended = (state: "succeeded" | "interrupted"): EventBody => ({ kind: "run.state", data: { state, error: null } });

describe("stored events", () => {
  const events = story(
    { kind: "run.state", data: { state: "running", error: null } },
    { kind: "agent_thought", data: { item: "a", text: "Hm", cut: false, durationMs: 14_000 } },
    { kind: "tool_call", data: call("in_progress") },
    { kind: "tool_call_update", data: call("completed") },
    message("b", "Done."),
    ended("succeeded"),
  );

  test("appear in the order in which they were first told, each once", () => {
    const transcript = told(events);
    expect(transcript.items.map((item) => item.id)).toEqual(["thought:a", "tool:t1", "message:b"]);
    expect(transcript).toMatchObject({ seq: 6, state: "succeeded", endedAt: at });
  });

  test("that come again change nothing", () => {
    const once = told(events);
    expect(told(events, once)).toBe(once);
    expect(told([...events, ...events])).toEqual(once);
  });

  test("of another run are not taken in", () => {
    const [first] = story(message("b", "Elsewhere"));
    expect(first && withEvent(emptyTranscript("run_2"), first)).toEqual(emptyTranscript("run_2"));
  });
});

describe("live text", () => {
  test("grows the item, and the stored item replaces it in place", () => {
    let transcript = emptyTranscript("run_1");
    for (const part of [delta("b", 0, "ARR in "), delta("b", 7, "your notes")])
      transcript = withDelta(transcript, part);
    expect(transcript.items).toMatchObject([{ text: "ARR in your notes", live: true }]);
    transcript = told(story(message("b", "ARR in your notes is wrong.")), transcript);
    expect(transcript.items).toMatchObject([{ text: "ARR in your notes is wrong.", live: false }]);
  });

  test("that was sent twice is written once, also when parts overlap", () => {
    let transcript = emptyTranscript("run_1");
    for (const part of [delta("b", 0, "one two"), delta("b", 0, "one"), delta("b", 4, "two three")])
      transcript = withDelta(transcript, part);
    expect(transcript.items).toMatchObject([{ text: "one two three" }]);
  });

  test("after a gap says that something is missing and keeps its offsets", () => {
    let transcript = withDelta(emptyTranscript("run_1"), delta("b", 10, "end"));
    transcript = withDelta(transcript, delta("b", 13, "ing"));
    expect(transcript.items).toMatchObject([{ text: `…${" ".repeat(9)}ending` }]);
  });

  test("that arrives behind its stored item is dropped", () => {
    const transcript = told(story(message("b", "Whole.")));
    expect(withDelta(transcript, delta("b", 6, " More"))).toBe(transcript);
  });

  test("of a command goes to its call and ends with it", () => {
    const events = story(
      { kind: "tool_call", data: call("in_progress") },
      { kind: "tool_call_update", data: call("completed") },
    );
    let transcript = told(events.slice(0, 1));
    transcript = withDelta(transcript, delta("t1", 0, "arr  differs\n", "tool_output"));
    expect(transcript.items).toMatchObject([{ output: "arr  differs\n", live: true }]);
    expect(told(events, transcript).items).toMatchObject([{ output: "", live: false }]);
  });
});

test("a question that nobody answered expires with its run", () => {
  const ask: EventBody = {
    kind: "permission.requested",
    data: { approval: "apr_1", title: "Push?", subject: "git push", toolCall: null },
  };
  expect(told(story(ask)).items).toMatchObject([{ type: "approval", answer: "open" }]);
  expect(told(story(ask, ended("interrupted"))).items).toMatchObject([{ answer: "expired" }]);
  const answer: EventBody = {
    kind: "permission.answered",
    data: { approval: "apr_1", option: "allow", label: "Allow once" },
  };
  expect(told(story(ask, answer, ended("succeeded"))).items).toMatchObject([{ answer: { label: "Allow once" } }]);
});

test("usage is summed over the requests of a run", () => {
  const usage = (costUsd: number | null): EventBody => ({
    kind: "usage",
    data: {
      inputTokens: 10,
      outputTokens: 5,
      cacheReadTokens: 1,
      cacheWriteTokens: 0,
      requests: 1,
      model: "m",
      costUsd,
      estimated: false,
    },
  });
  expect(told(story(usage(0.25), usage(null), usage(0.5)))).toMatchObject({ tokens: 48, costUsd: 0.75, model: "m" });
});
