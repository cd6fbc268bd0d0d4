import { expect, test } from "vitest";
import { networkRules } from "./network-rules.ts";

test("the host's own addresses are closed beside the private ranges, each in the set of its family", () => {
  const rules = networkRules(["203.0.113.9", "2001:db8::9"]);
  const [closed4 = "", closed6 = ""] = rules.split("\n").filter((line) => line.includes("set closed"));
  expect(closed4).toContain("169.254.0.0/16");
  expect(closed4).toContain("203.0.113.9 ");
  expect(closed6).toContain("fc00::/7");
  expect(closed6).toContain("2001:db8::9 ");
});
