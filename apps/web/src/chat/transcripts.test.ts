import type { RunEvent } from "@alcove/contract/api/event";
import type { RunStreamItem } from "@alcove/sdk/runs";
import { expect, test } from "vitest";
import { createTranscripts } from "./transcripts.ts";

function stateEvent(run: string, seq: number, state: "running" | "succeeded"): RunStreamItem {
  const event: RunEvent = { run, seq, at: "2026-01-03T10:00:00.000Z", kind: "run.state", data: { state, error: null } };
  return { type: "event", event };
}

/** Streams that the test writes by hand. */
function streams() {
  const opened: { run: string; after: number; push: (item: RunStreamItem) => void; end: () => void }[] = [];
  const events = (run: string, { after, signal }: { after: number; signal: AbortSignal }) => {
    let controller: ReadableStreamDefaultController<RunStreamItem> | undefined;
    const stream = new ReadableStream<RunStreamItem>({ start: (given) => void (controller = given) });
    signal.addEventListener("abort", () => controller?.error(signal.reason));
    opened.push({ run, after, push: (item) => controller?.enqueue(item), end: () => controller?.close() });
    return stream;
  };
  return { opened, events };
}

function changed(transcripts: ReturnType<typeof createTranscripts>, run: string) {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, stop: transcripts.follow(run, resolve) };
}

test("a run that is looked at again is read on from its last event", async () => {
  const { opened, events } = streams();
  const transcripts = createTranscripts({ events, nextFrame: (callback) => queueMicrotask(callback) });
  const first = changed(transcripts, "run_1");
  opened[0]?.push(stateEvent("run_1", 1, "running"));
  await first.promise;
  first.stop();
  const second = changed(transcripts, "run_1");
  expect(opened.map((stream) => stream.after)).toEqual([0, 1]);
  opened[1]?.push(stateEvent("run_1", 2, "succeeded"));
  await second.promise;
  expect(transcripts.get("run_1")).toMatchObject({ seq: 2, state: "succeeded" });
});

test("a run that is over is not opened again", async () => {
  const { opened, events } = streams();
  const transcripts = createTranscripts({ events, nextFrame: (callback) => queueMicrotask(callback) });
  const first = changed(transcripts, "run_1");
  opened[0]?.push(stateEvent("run_1", 1, "succeeded"));
  await first.promise;
  first.stop();
  changed(transcripts, "run_1");
  expect(opened).toHaveLength(1);
});

test("only a few lines are open at once; the next run is read when one is done, the newest first", async () => {
  const { opened, events } = streams();
  const transcripts = createTranscripts({ events, nextFrame: (callback) => queueMicrotask(callback) });
  const follows = ["a", "b", "c", "d", "e"].map((run) => changed(transcripts, run));
  expect(opened.map((stream) => stream.run)).toEqual(["a", "b", "c"]);
  opened[0]?.push(stateEvent("a", 1, "succeeded"));
  opened[0]?.end();
  await follows[0]?.promise;
  await expect.poll(() => opened.map((stream) => stream.run)).toEqual(["a", "b", "c", "e"]);
});

test("the error that ends a stream is told to who looks at the run", async () => {
  const events = () =>
    new ReadableStream<RunStreamItem>({ start: (controller) => controller.error(new Error("gone")) });
  const transcripts = createTranscripts({ events, nextFrame: (callback) => queueMicrotask(callback) });
  await changed(transcripts, "run_1").promise;
  expect(transcripts.failure("run_1")).toMatchObject({ message: "gone" });
});
