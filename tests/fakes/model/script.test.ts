import { expect, test } from "vitest";
import { findScript, scriptedPrompt, stepsOfRound, type Script } from "./script.ts";

const script: Script = [
  { think: "a [[nested]] list" },
  { shell: "ls" },
  { delay: 5 },
  { write: { path: "a", content: "]]" } },
  { say: "done" },
];

test("a script comes back out of its prompt, whatever brackets it holds", () => {
  expect(findScript(scriptedPrompt("Please.", script))).toEqual(script);
  expect(findScript(`Please.\n\`\`\`script\n${JSON.stringify(script)}\n\`\`\``)).toEqual(script);
  expect(findScript("No script here.")).toBeNull();
});

test("each round ends with its tool call, and the last one with the script", () => {
  expect(stepsOfRound(script, 0)).toEqual(script.slice(0, 2));
  expect(stepsOfRound(script, 1)).toEqual(script.slice(2, 4));
  expect(stepsOfRound(script, 2)).toEqual([{ delay: 5 }, { say: "done" }]);
});
