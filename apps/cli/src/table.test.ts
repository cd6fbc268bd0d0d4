import { expect, test } from "vitest";
import { formatAge, formatBytes, formatTable } from "./table.ts";

test("columns are as wide as their widest cell and lines have no trailing space", () => {
  expect(
    formatTable(
      ["name", "state"],
      [
        ["a", "ready"],
        ["longer", ""],
      ],
    ),
  ).toBe("NAME    STATE\na       ready\nlonger\n");
});

test("sizes and ages are told in their largest unit", () => {
  expect([0, 999, 1400, 2_500_000].map(formatBytes)).toEqual(["0 B", "999 B", "1.4 kB", "2.5 MB"]);
  const now = new Date("2026-01-02T00:00:00Z");
  const ages = ["2026-01-01T23:59:30Z", "2026-01-01T23:00:00Z", "2026-01-01T00:00:00Z"].map((then) =>
    formatAge(then, now),
  );
  expect(ages).toEqual(["30 s", "1 h", "1 d"]);
});
