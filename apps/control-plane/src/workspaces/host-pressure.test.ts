import { expect, test } from "vitest";
import { pressureOf, roomFindings } from "./host-pressure.ts";

const gib = 2 ** 30;
const load = (memoryGib: number, ofGib: number, diskGib = 50, ofDiskGib = 100) => ({
  memoryAvailableBytes: memoryGib * gib,
  memoryTotalBytes: ofGib * gib,
  diskFreeBytes: diskGib * gib,
  diskTotalBytes: ofDiskGib * gib,
});

test("a machine with room is fine, whatever its size", () => {
  expect(pressureOf(load(0.5, 1))).toBe("fine");
  expect(pressureOf(load(20, 100))).toBe("fine");
});

test("idle boxes go before the host suffers, and at the end none are added", () => {
  expect(pressureOf(load(0.2, 1))).toBe("tight");
  expect(pressureOf(load(0.1, 1))).toBe("full");
  expect(pressureOf(load(6, 100))).toBe("tight");
  expect(pressureOf(load(3, 100))).toBe("full");
});

test("a full disk counts like memory, and a small disk is not full from the beginning", () => {
  expect(pressureOf(load(10, 16, 3, 100))).toBe("tight");
  expect(pressureOf(load(10, 16, 0.4, 100))).toBe("full");
  expect(pressureOf(load(10, 16, 1, 1.5))).toBe("fine");
});

test("doctor says what is short, what follows from it and how to see what takes it", () => {
  const said = (...wanted: Parameters<typeof load>) =>
    roomFindings(load(...wanted), "/data").map(({ level, detail, remedy }) => [level, detail, remedy]);
  expect(said(8, 16)).toEqual([
    ["ok", "Memory: 8.0 of 16.0 GiB left.", null],
    ["ok", "Disk: 50.0 of 100.0 GiB left.", null],
  ]);
  expect(said(1, 16, 0.4, 100)).toEqual([
    [
      "missing",
      "Memory: 1.0 of 16.0 GiB left: idle workspaces are put to sleep.",
      "ps -eo rss,args --sort=-rss | head",
    ],
    [
      "broken",
      "Disk: 0.4 of 100.0 GiB left: no workspace can be started.",
      "du -xh --max-depth=2 /data | sort -h | tail",
    ],
  ]);
});
