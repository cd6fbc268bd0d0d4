import { expect, test } from "vitest";
import { formatFindings } from "./doctor.ts";

test("what is wrong comes last, in its own words, with the command that mends it", () => {
  const text = formatFindings([
    {
      id: "a",
      level: "broken",
      title: "Boxes start",
      detail: "User namespaces are off.",
      remedy: "sudo sysctl -w x=1",
    },
    { id: "b", level: "ok", title: "Disk limits work", detail: "btrfs", remedy: null },
  ]);
  expect(text).toBe("✓ Disk limits work\n✗ User namespaces are off.\n  → sudo sysctl -w x=1\n");
});
