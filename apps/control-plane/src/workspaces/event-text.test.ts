import { expect, test } from "vitest";
import { eventText } from "./event-text.ts";

test("a program that ran out of memory is named with the limit", () => {
  const data = { limit: "memory", code: "out_of_memory", process: "node", at: 2 ** 31 } as const;
  expect(eventText({ kind: "limit.reached", data })).toBe("Out of memory: `node` was ended at 2 GiB");
  expect(eventText({ kind: "limit.reached", data: { ...data, process: null, at: 300 * 2 ** 20 } })).toBe(
    "Out of memory: a program was ended at 300 MiB",
  );
});

test("a refused host says whether it could be allowed", () => {
  const data = { host: "example.com", port: 443, canAllow: true, times: 1 };
  expect(eventText({ kind: "network.denied", data })).toBe("Refused: the network does not allow example.com, port 443");
  expect(eventText({ kind: "network.denied", data: { ...data, host: "10.0.0.1", port: null, canAllow: false } })).toBe(
    "Refused: 10.0.0.1, which cannot be allowed",
  );
});
