import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { abortable } from "./abortable.ts";

test("gives the promise's value", async () => {
  expect(await abortable(Promise.resolve(7), new AbortController().signal)).toBe(7);
});

test("rejects with the signal's reason, also one that was there before", async () => {
  const never = new Promise<void>(() => {});
  await expect(abortable(never, AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
  const controller = new AbortController();
  const waiting = abortable(never, controller.signal);
  controller.abort(new Error("later"));
  await expect(waiting).rejects.toThrow("later");
});

test("leaves no listener on the signal", async () => {
  const { signal } = new AbortController();
  await abortable(Promise.resolve(), signal);
  await abortable(Promise.reject(new Error("failed")), signal).catch(() => {});
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
