import { expect, test } from "vitest";
import { nearestNames } from "./nearest-names.ts";

const names = ["node", "python", "rust", "go", "full-stack"];

test("a slip of the keys finds the name that was meant", () => {
  expect(nearestNames("nod", names)[0]).toBe("node");
  expect(nearestNames("pyhton", names)).toEqual(["python"]);
  expect(nearestNames("fullstack", names)).toEqual(["full-stack"]);
});

test("a name like no other finds none, also a very long one", () => {
  expect(nearestNames("kubernetes", names)).toEqual([]);
  expect(nearestNames("x".repeat(80), names)).toEqual([]);
});
