import { expect, test } from "vitest";
import { idsPerBox, pickIdRange } from "./id-range.ts";

const first = 0x7000_0000;

test("boxes get the lowest ranges that no other box has", () => {
  expect(pickIdRange([], [])).toBe(first);
  expect(pickIdRange([first, first + 2 * idsPerBox], [])).toBe(first + idsPerBox);
});

test("a range that overlaps one of a user is left out", () => {
  expect(pickIdRange([], [{ first: first + 10, count: 1 }])).toBe(first + idsPerBox);
  expect(pickIdRange([], [{ first: first - 10, count: 10 }])).toBe(first);
  expect(pickIdRange([], [{ first: first - 10, count: idsPerBox + 11 }])).toBe(first + 2 * idsPerBox);
});

test("when every range is taken the server is full", () => {
  const all = Array.from({ length: 4_094 }, (_, index) => first + index * idsPerBox);
  expect(() => pickIdRange(all, [])).toThrow(expect.objectContaining({ code: "host_full" }));
});
