import { expect, test } from "vitest";
import { idsPerBox, pickIdRange } from "./id-range.ts";

const first = 0x7000_0000;

test("boxes get the first ranges that no other box has", () => {
  expect(pickIdRange("0", [], [])).toBe(first);
  expect(pickIdRange("0", [first, first + 2 * idsPerBox], [])).toBe(first + idsPerBox);
});

test("two instances on one machine begin at ranges of their own, and each finds the last free one", () => {
  expect(pickIdRange("00000fff", [], [])).toBe(first + (0xfff % 4_094) * idsPerBox);
  const others = Array.from({ length: 4_094 }, (_, index) => first + index * idsPerBox).filter(
    (range) => range !== first,
  );
  expect(pickIdRange("deadbeef", others, [])).toBe(first);
});

test("a range that overlaps one of a user is left out", () => {
  expect(pickIdRange("0", [], [{ first: first + 10, count: 1 }])).toBe(first + idsPerBox);
  expect(pickIdRange("0", [], [{ first: first - 10, count: 10 }])).toBe(first);
  expect(pickIdRange("0", [], [{ first: first - 10, count: idsPerBox + 11 }])).toBe(first + 2 * idsPerBox);
});

test("when every range is taken the server is full", () => {
  const all = Array.from({ length: 4_094 }, (_, index) => first + index * idsPerBox);
  expect(() => pickIdRange("0", all, [])).toThrow(expect.objectContaining({ code: "host_full" }));
});
