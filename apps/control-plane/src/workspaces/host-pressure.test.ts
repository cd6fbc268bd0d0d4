import { expect, test } from "vitest";
import { pressureOf } from "./host-pressure.ts";

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
