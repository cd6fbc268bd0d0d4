import { expect, test } from "vitest";
import { graphOf, widthOf } from "./graph.ts";

test("one snapshot after the other is a straight line", () => {
  const rows = graphOf([
    { id: "c", parent: "b" },
    { id: "b", parent: "a" },
    { id: "a", parent: null },
  ]);
  expect(rows).toEqual([
    { id: "c", column: 0, passing: [], joining: [], goesOn: true },
    { id: "b", column: 0, passing: [], joining: [0], goesOn: true },
    { id: "a", column: 0, passing: [], joining: [0], goesOn: false },
  ]);
  expect(widthOf(rows)).toBe(1);
});

test("after going back a line of its own joins where it began", () => {
  const rows = graphOf([
    { id: "now", parent: "a" },
    { id: "c", parent: "b" },
    { id: "b", parent: "a" },
    { id: "a", parent: null },
  ]);
  expect(rows.map(({ column }) => column)).toEqual([0, 1, 1, 0]);
  expect(rows[1]?.passing).toEqual([0]);
  expect(rows[3]).toEqual({ id: "a", column: 0, passing: [], joining: [0, 1], goesOn: false });
  expect(widthOf(rows)).toBe(2);
});

test("a snapshot whose parent was deleted begins a line, and its column is used again", () => {
  const rows = graphOf([
    { id: "b", parent: "gone" },
    { id: "a", parent: null },
  ]);
  expect(rows.map(({ column, goesOn }) => [column, goesOn])).toEqual([
    [0, false],
    [0, false],
  ]);
});
