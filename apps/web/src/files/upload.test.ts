import { expect, test } from "vitest";

// The module reads the page's own address when it loads.
Object.assign(globalThis, { location: { origin: "http://127.0.0.1:7700" } });
const { freeName } = await import("./upload.ts");

test("a taken name gets the next free number before its ending", () => {
  expect(freeName("user/projects/report.pdf", new Set())).toBe("user/projects/report.pdf");
  expect(freeName("user/projects/report.pdf", new Set(["report.pdf", "report 2.pdf"]))).toBe(
    "user/projects/report 3.pdf",
  );
  expect(freeName("user/projects/.env", new Set([".env"]))).toBe("user/projects/.env 2");
});
