import { nameSchema } from "@alcove/contract/api/workspace";
import { expect, test } from "vitest";
import { nameProblem } from "./workspace-name.ts";

test.each([
  ["q4_update!", "A name has no “_” and no “!”"],
  ["über", "A name has no “ü”"],
  ["a".repeat(41), "At most 40 characters: these are 41"],
  ["-a", "A name does not begin with a hyphen"],
  ["a-", "A name does not end with a hyphen"],
])("%s is told what is wrong with it", (name, problem) => {
  expect(nameProblem(name)).toBe(problem);
  expect(nameSchema.safeParse(name).success).toBe(false);
});

test.each(["", "a", "q4-update", "a".repeat(40)])("“%s” is left alone", (name) => {
  expect(nameProblem(name)).toBe(null);
});
