import { expect, test } from "vitest";
import { movedPath } from "./moved-path.ts";

test("a path follows the folder that it lies in, and no other", () => {
  expect(movedPath("a/b/c.md", "a/b", "x")).toBe("x/c.md");
  expect(movedPath("a/b", "a/b", "a/c")).toBe("a/c");
  expect(movedPath("a/bc/d.md", "a/b", "x")).toBe("a/bc/d.md");
});
