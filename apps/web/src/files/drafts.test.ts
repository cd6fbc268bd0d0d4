import { expect, test, vi } from "vitest";
import { draftOf, keepDraft, moveDrafts } from "./drafts.ts";

vi.stubGlobal("addEventListener", () => {});

test("unsaved text follows the folder that its file lies in, in its own workspace", () => {
  const draft = { text: "mine", etag: '"1"' };
  keepDraft("ws_1", "a/b.md", draft);
  keepDraft("ws_1", "ab/c.md", draft);
  keepDraft("ws_2", "a/b.md", draft);
  moveDrafts("ws_1", "a", "x");
  expect(draftOf("ws_1", "a/b.md")).toBe(undefined);
  expect(draftOf("ws_1", "x/b.md")).toEqual(draft);
  expect(draftOf("ws_1", "ab/c.md")).toEqual(draft);
  expect(draftOf("ws_2", "a/b.md")).toEqual(draft);
});
