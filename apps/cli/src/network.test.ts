import type { Network } from "@alcove/contract/api/network";
import { expect, test } from "vitest";
import { changeNetwork, describeNetwork } from "./network.ts";

const list: Network = { mode: "allow-list", allow: ["a.test"] };

test("allowing hosts makes an allow-list of the earlier ones and these", () => {
  expect(changeNetwork(list, "allow", ["*.B.test.", "a.test", "bücher.example"])).toEqual({
    mode: "allow-list",
    allow: ["a.test", "*.b.test", "xn--bcher-kva.example"],
  });
  expect(changeNetwork({ mode: "open", allow: [] }, "allow", ["b.test"])).toEqual({
    mode: "allow-list",
    allow: ["b.test"],
  });
});

test("after none only the hosts that are named now are allowed", () => {
  expect(changeNetwork({ mode: "none", allow: ["a.test"] }, "allow", ["b.test"]).allow).toEqual(["b.test"]);
});

test("denying takes hosts off the list, and names those that are not on it", () => {
  expect(changeNetwork(list, "deny", ["a.test"])).toEqual({ mode: "allow-list", allow: [] });
  expect(() => changeNetwork(list, "deny", ["a.test", "c.test"])).toThrow("Not on the allow-list: c.test");
});

test("open and none keep the list for later", () => {
  expect(changeNetwork(list, "none", [])).toEqual({ mode: "none", allow: ["a.test"] });
  expect(() => changeNetwork(list, "open", ["a.test"])).toThrow("takes no hosts");
});

test("what is no host name is refused before anything is sent", () => {
  for (const word of ["https://a.test", "203.0.113.7", "a.test:443", "*", "a.*.test", "", "::1"])
    expect(() => changeNetwork(list, "allow", [word])).toThrow("is not a host name");
  expect(() => changeNetwork(list, "allow", [])).toThrow("needs the hosts");
});

test("the network is described in a line, and an allow-list host by host", () => {
  expect(describeNetwork({ mode: "open", allow: ["a.test"] })).toBe("open: every public host\n");
  expect(describeNetwork(list)).toBe("allow-list:\n  a.test\n");
  expect(describeNetwork({ mode: "allow-list", allow: [] })).toContain("nothing");
});
