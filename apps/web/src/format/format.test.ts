import { describe, expect, test } from "vitest";
import {
  countWord,
  formatAgo,
  formatBytes,
  formatClock,
  formatCost,
  formatCount,
  formatDuration,
  plural,
  shortPath,
} from "./format.ts";

describe("times", () => {
  test.each([
    [14, "14 ms"],
    [380, "0.4 s"],
    [38_400, "38 s"],
    [59_900, "1:00"],
    [192_000, "3:12"],
    [3_729_000, "1:02:09"],
  ])("%i ms read as %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  test("a running clock starts at 0:00 and never goes below", () => {
    expect(formatClock(0)).toBe("0:00");
    expect(formatClock(-500)).toBe("0:00");
    expect(formatClock(700_000)).toBe("11:40");
  });

  test("what happened a while ago is said in the largest fitting unit", () => {
    const now = new Date(2026, 1, 3, 12, 0).getTime();
    const ago = (minutes: number) => formatAgo(new Date(now - minutes * 60_000).toISOString(), now);
    expect([ago(0), ago(4), ago(180), ago(20 * 60), ago(72 * 60)]).toEqual([
      "now",
      "4 min",
      "3 h",
      "yesterday",
      "Jan 31",
    ]);
  });
});

describe("amounts", () => {
  test("bytes use steps of 1024 and at most one digit", () => {
    expect([0, 1, 1536, 1024 ** 2 * 312, 1024 ** 3 * 1.9].map(formatBytes)).toEqual([
      "0 bytes",
      "1 byte",
      "1.5 KB",
      "312 MB",
      "1.9 GB",
    ]);
  });

  test("less than a cent is not shown as nothing", () => {
    expect([0, 0.004, 0.42].map(formatCost)).toEqual(["$0.00", "< $0.01", "$0.42"]);
  });

  test("tokens are shortened", () => {
    expect([940, 2_480, 12_400, 1_200_000].map(formatCount)).toEqual(["940", "2.5 k", "12 k", "1.2 M"]);
  });
});

test("small counts are words at the start of a sentence", () => {
  expect([countWord(3), countWord(0), countWord(40)]).toEqual(["Three", "No", "40"]);
  expect([plural(1, "file"), plural(2, "file")]).toEqual(["1 file", "2 files"]);
});

test("a path is shown without the folder that all projects lie in", () => {
  expect(shortPath("user/projects/a/b.md")).toBe("a/b.md");
  expect(shortPath("/workspace/user/projects/b.md")).toBe("b.md");
  expect(shortPath("user/home/.bashrc")).toBe("home/.bashrc");
});
