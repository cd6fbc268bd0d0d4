import type { MeteredUsage } from "./usage.ts";

/** US dollars per million tokens: input, output, cache read, cache write. List prices by the beginning of the model's name, longest first. */
const prices: readonly (readonly [string, readonly [number, number, number, number]])[] = [
  ["claude-opus-4-1", [15, 75, 1.5, 18.75]],
  ["claude-opus-4-0", [15, 75, 1.5, 18.75]],
  ["claude-opus", [5, 25, 0.5, 6.25]],
  ["claude-sonnet", [3, 15, 0.3, 3.75]],
  ["claude-haiku", [1, 5, 0.1, 1.25]],
  ["gpt-5-nano", [0.05, 0.4, 0.005, 0]],
  ["gpt-5-mini", [0.25, 2, 0.025, 0]],
  ["gpt-5", [1.25, 10, 0.125, 0]],
];

/** What the call cost in US dollars by list price; null for a model whose price is not known here. */
export function costUsd(usage: MeteredUsage): number | null {
  const name = usage.model.replace(/^.*\//, "");
  const entry = prices.find(([prefix]) => name.startsWith(prefix));
  if (!entry) return null;
  const [input, output, cacheRead, cacheWrite] = entry[1];
  const total =
    usage.inputTokens * input +
    usage.outputTokens * output +
    usage.cacheReadTokens * cacheRead +
    usage.cacheWriteTokens * cacheWrite;
  return total / 1_000_000;
}
