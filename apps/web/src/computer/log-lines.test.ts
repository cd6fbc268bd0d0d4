import { expect, test } from "vitest";
import { logLines } from "./log-lines.ts";

test("lines of the daemon are told apart from what else the box printed", () => {
  const text = [
    '{"at":"2026-11-21T04:52:02.000Z","level":"error","message":"The daemon ended","exitCode":1,"signal":null,"program":"serve","trace":"00-1"}',
    "plain words",
    "",
    '{"some":"json"}',
  ].join("\n");
  expect(logLines(text)).toEqual([
    { time: expect.stringMatching(/^\d\d:52:02$/), level: "error", text: "The daemon ended", rest: "exitCode 1 serve" },
    { time: "", level: "info", text: "plain words", rest: "" },
    { time: "", level: "info", text: '{"some":"json"}', rest: "" },
  ]);
});
