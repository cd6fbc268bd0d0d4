import { expect, test } from "vitest";
import { linesOf } from "./sparkline.tsx";

test("the newest value stands at the right end, and nothing leaves the box", () => {
  expect(linesOf([0, 5, 10, 99], 10, 4)).toEqual(["0,100 33.3,50 66.7,0 100,0"]);
});

test("what is not known leaves a gap, and a single value is still seen", () => {
  expect(linesOf([5, null, 10], 10, 3)).toEqual(["0,50 0,50", "100,0 100,0"]);
});
