import { expect, test } from "vitest";
import { limitEntry, limitKinds, stepOf, type LimitName } from "./limit-kinds.ts";

const kindOf = (name: LimitName) => {
  const kind = limitKinds.find((other) => other.name === name);
  if (!kind) throw new Error(`there is no limit "${name}"`);
  return kind;
};
const read = (name: LimitName, text: string) => limitEntry(kindOf(name), text);

test("sizes are read as people write them", () => {
  const giga = 2 ** 30;
  expect(read("memoryBytes", "2 GB")).toEqual({ type: "value", value: 2 * giga });
  expect(read("memoryBytes", "1.5g")).toEqual({ type: "value", value: 1.5 * giga });
  expect(read("memoryBytes", "1,5 GiB")).toEqual({ type: "value", value: 1.5 * giga });
  expect(read("memoryBytes", "512")).toEqual({ type: "value", value: 512 * 2 ** 20 });
  expect(read("cpus", "2 cores")).toEqual({ type: "value", value: 2 });
  expect(read("openFiles", "65,536")).toEqual({ type: "value", value: 65_536 });
});

test("an empty field is no limit", () => {
  expect(read("diskBytes", " ")).toEqual({ type: "value", value: undefined });
  expect(read("diskBytes", "No limit")).toEqual({ type: "value", value: undefined });
});

test("what cannot be a limit says what could", () => {
  expect(read("memoryBytes", "64 MB")).toEqual({ type: "problem", problem: "At least 128 MB" });
  expect(read("openFiles", "2000000")).toEqual({ type: "problem", problem: "At most 1,048,576" });
  expect(read("processes", "many")).toEqual({ type: "problem", problem: "Write it as 1,024" });
});

test("steps go to the next round value from any other, and stay at the ends", () => {
  const memory = kindOf("memoryBytes");
  expect(stepOf(memory, 700 * 2 ** 20, 1)).toBe(2 ** 30);
  expect(stepOf(memory, 700 * 2 ** 20, -1)).toBe(512 * 2 ** 20);
  expect(stepOf(memory, 128 * 2 ** 20, -1)).toBe(128 * 2 ** 20);
  expect(stepOf(memory, undefined, 1)).toBeUndefined();
  expect(stepOf(memory, undefined, -1)).toBe(64 * 2 ** 30);
});

test("every step is a limit that the server takes, and reads back as it is shown", () => {
  for (const kind of limitKinds)
    for (const step of kind.steps) expect(limitEntry(kind, kind.show(step))).toEqual({ type: "value", value: step });
});
