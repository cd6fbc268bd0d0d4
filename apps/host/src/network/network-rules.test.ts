import { expect, test } from "vitest";
import { networkRules } from "./network-rules.ts";

test("the host's own addresses are closed beside the private ranges, each in the set of its family", () => {
  const rules = networkRules("open", ["203.0.113.9", "2001:db8::9"]);
  const [closed4 = "", closed6 = ""] = rules.split("\n").filter((line) => line.includes("set closed"));
  expect(closed4).toContain("169.254.0.0/16");
  expect(closed4).toContain("203.0.113.9 ");
  expect(closed6).toContain("fc00::/7");
  expect(closed6).toContain("2001:db8::9 ");
});

test("only an allow-list leads connections to the proxy, and only an open network lets a packet leave", () => {
  const leaves = (mode: "open" | "allow-list" | "none"): string =>
    /chain leaving \{([^}]*)\}/.exec(networkRules(mode, []))?.[1] ?? "";
  expect(networkRules("allow-list", [])).toContain("redirect to");
  for (const mode of ["open", "none"] as const) expect(networkRules(mode, [])).not.toContain("redirect to");
  for (const mode of ["allow-list", "none"] as const) expect(leaves(mode)).toMatch(/^\s+drop$/m);
  expect(leaves("open")).not.toMatch(/^\s+drop$/m);
});
