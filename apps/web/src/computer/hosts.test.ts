import { hostPatternSchema } from "@alcove/contract/api/network";
import { expect, test } from "vitest";
import { hostSets, hostsEntry } from "./hosts.ts";

test("names, wildcards and addresses of pages become hosts", () => {
  expect(hostsEntry("Example.com, *.example.org https://docs.example.net:8443/a?b#c", [])).toEqual({
    type: "hosts",
    hosts: ["example.com", "*.example.org", "docs.example.net"],
  });
  expect(hostsEntry("example.com example.org", ["example.com"])).toEqual({ type: "hosts", hosts: ["example.org"] });
  expect(hostsEntry("  ", [])).toEqual({ type: "hosts", hosts: [] });
});

test("what is no host name says why", () => {
  expect(hostsEntry("10.0.0.1", [])).toEqual({
    type: "problem",
    problem: "10.0.0.1 is an address; the list holds names",
  });
  expect(hostsEntry("exa*mple.com", [])).toMatchObject({ type: "problem" });
  expect(hostsEntry("example.com", ["example.com"])).toEqual({
    type: "problem",
    problem: "example.com is on the list already",
  });
});

test("every ready set holds hosts that the server takes", () => {
  for (const { hosts } of hostSets) for (const host of hosts) expect(hostPatternSchema.parse(host)).toBe(host);
});
