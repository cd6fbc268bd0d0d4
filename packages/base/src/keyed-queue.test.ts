import { expect, test } from "vitest";
import { createKeyedQueue } from "./keyed-queue.ts";

test("work of one key runs in order, one at a time, also after a failure", async () => {
  const queue = createKeyedQueue();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = queue.run("a", async () => {
    await gate.promise;
    log.push("first");
    throw new Error("failed");
  });
  const second = queue.run("a", async () => log.push("second"));
  gate.resolve();
  await expect(first).rejects.toThrow("failed");
  await second;
  expect(log).toEqual(["first", "second"]);
});

test("work of another key does not wait", async () => {
  const queue = createKeyedQueue();
  const gate = Promise.withResolvers<void>();
  const slow = queue.run("a", () => gate.promise);
  expect(await queue.run("b", async () => "done")).toBe("done");
  gate.resolve();
  await slow;
});

test("who gives up waiting is skipped, and nobody overtakes the work that still runs", async () => {
  const queue = createKeyedQueue();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = queue.run("a", async () => {
    await gate.promise;
    log.push("first");
  });
  const controller = new AbortController();
  const second = queue.run("a", async () => log.push("second"), controller.signal);
  const third = queue.run("a", async () => log.push("third"));
  controller.abort(new Error("gave up"));
  await expect(second).rejects.toThrow("gave up");
  expect(log).toEqual([]);
  gate.resolve();
  await Promise.all([first, third]);
  expect(log).toEqual(["first", "third"]);
});

test("drain waits for everything that was queued", async () => {
  const queue = createKeyedQueue();
  const log: string[] = [];
  void queue.run("a", async () => log.push("a"));
  void queue.run("b", async () => log.push("b"));
  await queue.drain();
  expect(log.toSorted()).toEqual(["a", "b"]);
});
