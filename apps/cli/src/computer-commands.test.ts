import { expect, test } from "vitest";
import { changeLimits, describeLimits, readSize } from "./computer-commands.ts";

test("sizes are read as people write them", () => {
  expect(["512M", "2g", "1.5GiB", "2GB", "4096", "none"].map(readSize)).toEqual([
    512 * 2 ** 20,
    2 ** 31,
    1.5 * 2 ** 30,
    2_000_000_000,
    4096,
    "none",
  ]);
  for (const wrong of ["", "lots", "-1G", "2 X", "G"]) expect(() => readSize(wrong)).toThrow("as in 512M");
});

test("a limit is changed or taken away, and the others stay", () => {
  const before = { memoryBytes: 2 ** 30, cpus: 2 };
  expect(changeLimits(before, { cpus: "none", disk: 2 ** 33 })).toEqual({ memoryBytes: 2 ** 30, diskBytes: 2 ** 33 });
  expect(changeLimits(before, {})).toEqual(before);
  expect(describeLimits({ memoryBytes: 2 ** 30 })).toContain("memory      1024 MiB\ncpus        none\n");
});
