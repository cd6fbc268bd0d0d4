import { expect, test } from "vitest";
import { matchWords } from "./match-words.ts";

test("every typed word must be in the name, and names that begin with the text come first", () => {
  expect(matchWords("Settings: Account", "sign out")).toBe(0);
  expect(matchWords("Sign out", "sign")).toBe(1);
  expect(matchWords("Open a terminal in blog", "blog terminal")).toBe(0.4);
  expect(matchWords("claude-5", "sonnet", ["Sonnet 5"])).toBeGreaterThan(0);
});
