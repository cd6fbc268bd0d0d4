import { expect, test } from "vitest";
import { fileError } from "./file-error.ts";
import { parsePath } from "./path.ts";

const failed = (code: string) =>
  fileError(Object.assign(new Error(`${code}: write`), { code }), parsePath("user/a.txt"));

test.each([
  ["EDQUOT", "workspace_full", 'Cannot use "user/a.txt": the workspace\'s disk is full'],
  ["EACCES", "file_forbidden", 'Cannot use "user/a.txt": the workspace\'s user may not read or write here'],
  ["ENAMETOOLONG", "path_invalid", 'Cannot use "user/a.txt": the name is too long'],
])("%s is told in words, and its code stays", (system, code, message) => {
  expect(failed(system)).toMatchObject({ code, message, cause: { code: system } });
});

test("what is no expected failure stays as it is", () => {
  expect(failed("EIO")).toMatchObject({ code: "EIO", message: "EIO: write" });
});
