import { expect, test } from "vitest";
import { deletionAt, deletionWords, isSoon } from "./deletion.ts";

const day = 86_400_000;
const createdAt = "2026-08-04T10:42:00";
const created = Date.parse(createdAt);

test("the day of a deletion is counted from the day on which the workspace was made", () => {
  const deletion = deletionAt(createdAt, 7 * day) ?? 0;
  expect(deletionWords(deletion, created + day)).toBe("on Tue 11 Aug 2026 at 10:42");
  expect(isSoon(deletion, created + day)).toBe(false);
});

test("within a day is soon, and a workspace that is older goes at once", () => {
  const deletion = deletionAt(createdAt, day) ?? 0;
  expect(isSoon(deletion, created)).toBe(true);
  expect(deletionWords(deletion, created)).toBe("on Wed 5 Aug 2026 at 10:42");
  expect(deletionWords(deletion, created + 2 * day)).toBe("at once");
});

test("without an age there is no deletion", () => {
  expect(deletionAt(createdAt, null)).toBe(null);
  expect(deletionAt(createdAt, undefined)).toBe(null);
});
