import { expect, test } from "vitest";
import { eventText } from "./event-text.ts";

test("a program that ran out of memory is named with the limit", () => {
  const data = { limit: "memory", code: "out_of_memory", process: "node", at: 2 ** 31 } as const;
  expect(eventText({ kind: "limit.reached", data })).toBe("Out of memory: `node` was ended at 2 GiB");
  expect(eventText({ kind: "limit.reached", data: { ...data, process: null, at: 300 * 2 ** 20 } })).toBe(
    "Out of memory: a program was ended at 300 MiB",
  );
});

test("a refused host says whether it could be allowed, and why not", () => {
  const data = { host: "example.com", port: 443, canAllow: true, times: 1 };
  expect(eventText({ kind: "network.denied", data })).toBe("Refused: the network does not allow example.com, port 443");
  expect(eventText({ kind: "network.denied", data: { ...data, host: "9.9.9.9", canAllow: false } })).toBe(
    "Refused: 9.9.9.9, port 443, an address; the allow-list holds names",
  );
  expect(eventText({ kind: "network.denied", data: { ...data, port: null, canAllow: false } })).toBe(
    "Refused: example.com, which leads to an address that no workspace may reach",
  );
});
