import { expect, test } from "vitest";
import { defaultModel, offeredModels } from "./model-choice.ts";

const one = { providers: ["openai"], models: [{ id: "gpt-a", title: "GPT A", provider: "openai" }] } as const;
const many = {
  providers: ["anthropic", "openai"],
  models: [{ id: "gpt-a", title: "GPT A", provider: "openai" }],
} as const;

test("what the provider lists is offered, known models first, without those that cannot chat", () => {
  const models = ["text-embedding-3", "gpt-b", "gpt-a", "gpt-4o-audio-preview", "o5"];
  expect(offeredModels(one, { kind: "openai", models }).map(({ id }) => id)).toEqual(["gpt-a", "gpt-b", "o5"]);
  expect(defaultModel(one, { kind: "openai", models })).toBe("gpt-a");
});

test("known models are offered where the provider lists none", () => {
  expect(offeredModels(one, { kind: "openai", models: [] })).toEqual([{ id: "gpt-a", title: "GPT A" }]);
});

test("an agent of one provider chooses by itself when nothing is known; an agent of many is told", () => {
  expect(defaultModel(one, { kind: "openai", models: ["gpt-z"] })).toBeNull();
  expect(defaultModel(one, { kind: "openai", models: [] })).toBeNull();
  expect(defaultModel(many, { kind: "openai", models: ["gpt-z"] })).toBe("gpt-z");
  expect(defaultModel(many, { kind: "openai", models: [] })).toBe("gpt-a");
});
