import type { WorkspaceEvent } from "@alcove/contract/api/workspace-event";
import { expect, test } from "vitest";
import { denialsOf } from "./denied-hosts.ts";

let seq = 0;
const denied = (host: string, second: number, more: { port?: number; canAllow?: boolean; times?: number } = {}) =>
  ({
    workspace: "ws_1",
    seq: ++seq,
    at: new Date(second * 1000).toISOString(),
    text: `${host} was refused`,
    kind: "network.denied",
    data: { host, port: more.port ?? 443, canAllow: more.canAllow ?? true, times: more.times ?? 1 },
  }) satisfies WorkspaceEvent;

test("what was refused is told once for each host, the latest first", () => {
  const events = [
    denied("b.example.com", 5),
    denied("a.example.com", 9, { times: 3, port: 80 }),
    denied("a.example.com", 2),
  ];
  expect(denialsOf(events, { mode: "allow-list", allow: [] })).toEqual([
    { host: "a.example.com", ports: [80, 443], times: 4, last: "1970-01-01T00:00:09.000Z", state: "can_allow" },
    { host: "b.example.com", ports: [443], times: 1, last: "1970-01-01T00:00:05.000Z", state: "can_allow" },
  ]);
});

test("an address is not on the list and could be reached, unlike a name that leads to a closed one", () => {
  const events = [
    denied("9.9.9.9", 1, { canAllow: false }),
    denied("intern.example.org", 2, { canAllow: false }),
    denied("a.example.com", 3),
  ];
  const statesIn = (mode: "open" | "allow-list") =>
    denialsOf(events, { mode, allow: ["*.example.com"] }).map(({ state }) => state);
  expect(statesIn("allow-list")).toEqual(["allowed", "closed", "address"]);
  expect(statesIn("open")).toEqual(["allowed", "closed", "allowed"]);
});
