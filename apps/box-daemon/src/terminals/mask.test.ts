import { expect, test } from "vitest";
import { maskQuestions, unfinishedSequence } from "./mask.ts";

test.each([
  "\x1b[c",
  "\x1b[>0c",
  "\x1b[6n",
  "\x1b[?6n",
  "\x1b[?2026$p",
  "\x1b[>q",
  "\x1b[?u",
  "\x1b[18t",
  "\x1b]11;?\x07",
  "\x1b]4;1;?\x1b\\",
  "\x1bP+q544e\x1b\\",
])("the question %j is blanked without changing an offset", (question) => {
  const masked = Buffer.from(maskQuestions(Buffer.from(`a${question}b`))).toString("latin1");
  expect(masked).toBe(`a${"\0".repeat(question.length)}b`);
});

test.each(["\x1b[31m", "\x1b[2J", "\x1b[1;5H", "\x1b]0;title\x07", "\x1b[?25l", "\x1b[22;0t", "plain"])(
  "%j stays",
  (text) => {
    expect(Buffer.from(maskQuestions(Buffer.from(text))).toString("latin1")).toBe(text);
  },
);

test("a sequence that is cut is held back as a whole", () => {
  expect(unfinishedSequence(Buffer.from("abc\x1b[3"))).toBe(3);
  expect(unfinishedSequence(Buffer.from("abc\x1b"))).toBe(1);
  expect(unfinishedSequence(Buffer.from("\x1b]11;?"))).toBe(6);
  expect(unfinishedSequence(Buffer.from("abc\x1b[31m"))).toBe(0);
});
