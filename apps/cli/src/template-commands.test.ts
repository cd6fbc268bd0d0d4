import type { Template } from "@alcove/contract/api/template";
import { expect, test } from "vitest";
import { describeTemplates } from "./template-commands.ts";

test("templates are listed with their versions and what is really in them", () => {
  const built = {
    version: "24",
    state: "ready" as const,
    detail: "Ready",
    percent: null,
    tools: { node: "24.21.0" },
    sizeBytes: 9e8,
  };
  const other = {
    version: "22",
    state: "missing" as const,
    detail: "Built when it is first used",
    percent: null,
    tools: {},
    sizeBytes: null,
  };
  const template: Template = {
    name: "node",
    title: "Node",
    description: "",
    version: "24",
    state: "ready",
    detail: "Ready",
    versions: [built, other],
    source: "catalogue",
    start: "npm run dev",
    ports: [3000, 5173],
    runtimes: ["embedded"],
    lacks: [],
    workspaces: 0,
  };
  expect(describeTemplates([template])).toBe(
    [
      "NAME     STATE      WHAT IS IN IT           PORTS       START",
      "node     ready      node 24.21.0, 900.0 MB  3000, 5173  npm run dev",
      "node@22  not built",
      "",
    ].join("\n"),
  );
});
