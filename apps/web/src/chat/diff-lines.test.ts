import { expect, test } from "vitest";
import { diffOf } from "./diff-lines.ts";

const text = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join("");

test("a new file is all added", () => {
  const diff = diffOf(null, "a\nb\n");
  expect(diff).toMatchObject({ added: 2, removed: 0 });
  expect(diff.hunks.flatMap((hunk) => hunk.lines.map((line) => line.number))).toEqual([1, 2]);
});

test("changes far apart are hunks of their own with three lines around them", () => {
  const after = text(40).replace("line 5\n", "line five\n").replace("line 30\n", "line thirty\n");
  const diff = diffOf(text(40), after);
  expect(diff.hunks.map((hunk) => [hunk.from, hunk.to])).toEqual([
    [2, 8],
    [27, 33],
  ]);
});

test("in a changed line only the words that differ are marked", () => {
  const [hunk] = diffOf("Q4 was our best quarter so far.\n", "Q4 was our best quarter for revenue.\n").hunks;
  const added = hunk?.lines.find((line) => line.type === "add");
  expect(added?.spans.find((span) => !span.changed)?.text).toContain("Q4 was our best quarter");
  expect(added?.spans.some((span) => span.changed && span.text.includes("revenue"))).toBe(true);
});

test("a text that only lost lines has a hunk with the numbers of the old text", () => {
  const diff = diffOf("a\nb\n", "");
  expect(diff).toMatchObject({ added: 0, removed: 2, hunks: [{ from: 1, to: 2 }] });
});

test("two equal texts have no hunks", () => {
  expect(diffOf("a\n", "a\n").hunks).toEqual([]);
});
