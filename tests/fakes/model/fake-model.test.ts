import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeModel, type FakeModel } from "./fake-model.ts";
import { scriptedPrompt } from "./script.ts";

let model: FakeModel;
beforeAll(async () => {
  model = await startFakeModel({ key: "right" });
});
afterAll(() => model[Symbol.asyncDispose]());

async function post(path: string, body: object, key = "right"): Promise<{ status: number; text: string }> {
  const response = await fetch(`${model.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

const prompt = scriptedPrompt("Write.", [{ say: "hello" }, { write: { path: "a.md", content: "x" } }, { say: "bye" }]);
const parameters = { type: "object", properties: { path: {}, content: {} } };

test.each([
  [
    "/v1/messages",
    { messages: [{ role: "user", content: prompt }], tools: [{ name: "Write", input_schema: parameters }] },
    "message_stop",
  ],
  ["/v1/responses", { input: prompt, tools: [{ type: "function", name: "write", parameters }] }, "response.completed"],
  [
    "/v1/chat/completions",
    {
      messages: [{ role: "user", content: prompt }],
      tools: [{ type: "function", function: { name: "write", parameters } }],
    },
    "[DONE]",
  ],
] as const)("%s streams what the script says and calls the offered tool", async (path, body, last) => {
  const { status, text } = await post(path, { model: "m", stream: true, ...body });
  expect(status).toBe(200);
  expect(text).toContain("hello");
  expect(text).toMatch(/"name":"[wW]rite"/);
  expect(text).not.toContain("bye");
  expect(text.trimEnd().split("\n").at(-1)).toContain(last);
  const whole = await post(path, { model: "m", ...body });
  expect(JSON.stringify(JSON.parse(whole.text))).toContain("a.md");
});

test("a wrong key is refused, and every request is remembered with its key", async () => {
  expect((await post("/v1/messages", { messages: [] }, "wrong")).status).toBe(401);
  expect(model.requests.at(-1)).toMatchObject({ path: "/v1/messages", key: "wrong" });
});

test("a fault happens as often as the script says", async () => {
  const body = {
    messages: [{ role: "user", content: scriptedPrompt("x", [{ fault: 529, times: 2 }, { say: "at last" }]) }],
    tools: [{ name: "Write", input_schema: parameters }],
  };
  expect((await post("/v1/messages", body)).status).toBe(529);
  expect((await post("/v1/messages", body)).status).toBe(529);
  expect((await post("/v1/messages", body)).text).toContain("at last");
});

test("a prompt without a script for an investor update reads the notes, then writes the document from them", async () => {
  const tools = [
    { name: "Bash", input_schema: { properties: { command: {} } } },
    { name: "Write", input_schema: { properties: { file_path: {}, content: {} } } },
  ];
  const first = { role: "user", content: "Create a brief investor update about Q4 from notes.md" };
  expect((await post("/v1/messages", { messages: [first], tools })).text).toContain("cat notes.md");
  const messages = [
    first,
    { role: "assistant", content: [{ type: "tool_use", id: "1", name: "Bash", input: {} }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: "# Notes\n- Heron ships in March" }] },
  ];
  const { text } = await post("/v1/messages", { messages, tools });
  expect(text).toContain("investor-update-q4.md");
  expect(text).toContain("Heron ships in March");
});
