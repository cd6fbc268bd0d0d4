import { expect, test } from "vitest";
import { createRowMemory } from "./row-memory.ts";

const row = (name = "lab", id = "ws_a") => ({ id, ownerId: "usr_a", name });

function later<T>(value: T) {
  let give = () => {};
  const promise = new Promise<T>((resolve) => (give = () => resolve(value)));
  return { promise, give };
}

test("a row that was looked at is known by its id and by its owner and name, until it is changed", async () => {
  const memory = createRowMemory(() => true);
  await memory.look(() => Promise.resolve(row()));
  expect(memory.byId("ws_a")).toEqual(row());
  expect(memory.byName("usr_a", "lab")).toEqual(row());
  expect(memory.byName("usr_b", "lab")).toBeUndefined();

  const renaming = later(row("den"));
  const changed = memory.change("ws_a", () => renaming.promise);
  expect(memory.byId("ws_a")).toBeUndefined();
  renaming.give();
  await changed;
  expect(memory.byName("usr_a", "den")).toEqual(row("den"));
  expect(memory.byName("usr_a", "lab")).toBeUndefined();
});

test("a look that a change overtakes is not remembered", async () => {
  const memory = createRowMemory(() => true);
  const old = later(row());
  const looking = memory.look(() => old.promise);
  await memory.change("ws_a", () => Promise.resolve(row("den")));
  old.give();
  await looking;
  expect(memory.byId("ws_a")).toEqual(row("den"));
});

test("of two changes at once neither is remembered", async () => {
  const memory = createRowMemory(() => true);
  const [first, second] = [later(row("one")), later(row("two"))];
  const both = [memory.change("ws_a", () => first.promise), memory.change("ws_a", () => second.promise)];
  second.give();
  first.give();
  await Promise.all(both);
  expect(memory.byId("ws_a")).toBeUndefined();
});

test("a change that fails leaves nothing remembered, for nobody knows what became of it", async () => {
  const memory = createRowMemory(() => true);
  await memory.look(() => Promise.resolve(row()));
  await expect(memory.change("ws_a", () => Promise.reject(new Error("the line broke")))).rejects.toThrow("broke");
  expect(memory.byId("ws_a")).toBeUndefined();
});

test("beside another replica nothing is remembered, also of the time before", async () => {
  let alone = true;
  const memory = createRowMemory(() => alone);
  await memory.look(() => Promise.resolve(row()));
  alone = false;
  expect(memory.byId("ws_a")).toBeUndefined();
  await memory.look(() => Promise.resolve(row()));
  alone = true;
  expect(memory.byId("ws_a")).toBeUndefined();
});
