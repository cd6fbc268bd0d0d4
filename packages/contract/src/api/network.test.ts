import { expect, test } from "vitest";
import { allowsHost, hostPatternSchema, isHostName, matchesHost, withAllowedHost } from "./network.ts";

test("a name matches itself, whatever its case and with or without the root's dot", () => {
  for (const name of ["example.com", "EXAMPLE.com", "example.com."])
    expect(matchesHost(["example.com"], name)).toBe(true);
  for (const name of ["a.example.com", "example.com.evil.test", "xexample.com", "example.co", "", "example.com.."])
    expect(matchesHost(["example.com"], name)).toBe(false);
});

test("a wildcard matches names at any depth below it and not its own name", () => {
  for (const name of ["a.example.com", "a.b.Example.Com."]) expect(matchesHost(["*.example.com"], name)).toBe(true);
  for (const name of ["example.com", ".example.com", "aexample.com", "a.example.com.evil.test"])
    expect(matchesHost(["*.example.com"], name)).toBe(false);
});

test("an international name is written and matched in its ASCII form", () => {
  expect(hostPatternSchema.safeParse("bücher.example").success).toBe(false);
  expect(hostPatternSchema.safeParse("xn--bcher-kva.example").success).toBe(true);
  expect(matchesHost(["*.xn--p1ai"], "xn--e1afmkfd.xn--p1ai")).toBe(true);
});

test("addresses, ports, upper case and stars in the middle are no patterns", () => {
  for (const text of ["203.0.113.7", "[::1]", "example.com:443", "Example.com", "a.*.com", "*", "*.", "https://a.test"])
    expect(hostPatternSchema.safeParse(text).success).toBe(false);
});

test("an open network allows every name, an allow-list its own, none nothing", () => {
  const allow = ["example.com"];
  expect(allowsHost({ mode: "open", allow: [] }, "other.test")).toBe(true);
  expect(allowsHost({ mode: "allow-list", allow }, "example.com")).toBe(true);
  expect(allowsHost({ mode: "allow-list", allow }, "other.test")).toBe(false);
  expect(allowsHost({ mode: "none", allow }, "example.com")).toBe(false);
});

test("only names can be allowed, not addresses", () => {
  expect(isHostName("Registry.npmjs.org.")).toBe(true);
  for (const text of ["203.0.113.7", "fd00::1", "*.example.com", "", "a b"]) expect(isHostName(text)).toBe(false);
});

test("allowing a host adds it once, and where nothing was allowed it becomes the only one", () => {
  const list = { mode: "allow-list" as const, allow: ["a.test"] };
  expect(withAllowedHost(list, "b.test")).toEqual({ mode: "allow-list", allow: ["a.test", "b.test"] });
  expect(withAllowedHost(list, "a.test")).toEqual(list);
  expect(withAllowedHost({ mode: "none", allow: ["a.test"] }, "b.test")).toEqual({
    mode: "allow-list",
    allow: ["b.test"],
  });
});
