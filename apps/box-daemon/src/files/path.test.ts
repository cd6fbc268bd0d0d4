import { expect, test } from "vitest";
import { parsePath, parseUrlPath } from "./path.ts";

const names = (path: readonly Buffer[]) => path.map((name) => name.toString("latin1"));

test("empty parts and single dots fall away", () => {
  expect(names(parsePath("user//./projects/a b/"))).toEqual(["user", "projects", "a b"]);
  expect(parsePath("")).toEqual([]);
});

test("percent escapes stand for any byte", () => {
  expect(names(parseUrlPath("user/%ff%20%25"))).toEqual(["user", "\u00ff %"]);
});

test.each([
  ["/etc", "path_outside"],
  ["a/../b", "path_outside"],
  ["..", "path_outside"],
  ["a\0b", "path_invalid"],
  ["x".repeat(256), "path_invalid"],
  ["x/".repeat(2049), "path_invalid"],
])("%.20j is refused", (text, code) => {
  expect(() => parsePath(text)).toThrow(expect.objectContaining({ code }));
});

test("an encoded slash divides names as a slash does", () => {
  expect(() => parseUrlPath("a%2f%2e%2e%2fb")).toThrow(expect.objectContaining({ code: "path_outside" }));
});
