import { CodedError } from "@alcove/contract/errors";
import { expect, test } from "vitest";
import { describeFailure, exitCodeOf } from "./exit-codes.ts";

test("a mistake of the server is told with the trace id to look for, one of this program with where it was made", () => {
  const problem = { type: "x", title: "x", status: 500, code: "internal", detail: "x", hint: "x", trace: "abc123" };
  expect(describeFailure(new CodedError("internal", undefined, { cause: problem }))).toContain("\nTrace id: abc123\n");
  const made = describeFailure(new CodedError("internal", undefined, { cause: new Error("no such thing") }));
  expect(made).toMatch(/Error: no such thing\n\s+at /);
  expect(describeFailure(new CodedError("not_found", "There is no x.", { cause: problem }))).not.toContain("abc123");
});

test("whatever is not there ends with 4", () => {
  for (const code of ["not_found", "template_unknown", "file_not_found"] as const)
    expect(exitCodeOf(new CodedError(code))).toBe(4);
  expect(exitCodeOf(new CodedError("workspace_busy"))).toBe(1);
});
