import { expect, test } from "vitest";
import { busiestProgram } from "./processor-use.ts";

const at = (...rows: [number, string, number][]) => new Map(rows.map(([pid, name, ticks]) => [pid, { name, ticks }]));

test("the program that used the processor most is named", () => {
  expect(busiestProgram(at([7, "node", 10], [8, "sh", 0]), at([7, "node", 500], [8, "sh", 3]), 10_000)).toBe("node");
});

test("a server that only waits counts as idle", () => {
  expect(busiestProgram(at([7, "node", 10]), at([7, "node", 15]), 10_000)).toBeNull();
});

test("a program that began after the last look counts whole", () => {
  expect(busiestProgram(at(), at([9, "cc1", 300]), 10_000)).toBe("cc1");
});
