import { newId } from "@alcove/contract/ids";
import type { BoxHappeningBody } from "@alcove/contract/host";
import { expect, test } from "vitest";
import { createLimitWatch, type LimitSight } from "./limit-watch.ts";

function watching() {
  const told: BoxHappeningBody[] = [];
  let clock = 0;
  const watch = createLimitWatch({ tell: (_id, _epoch, body) => void told.push(body), now: () => clock });
  const id = newId("workspace");
  const quiet = { counters: { memory: 0, processes: 0 }, processes: null, diskBytes: null, ended: () => [] };
  return {
    told,
    later: (ms: number) => (clock += ms),
    look: (sight: Partial<LimitSight>) => watch.look({ id, epoch: 1, limits: {}, ...quiet, ...sight }),
  };
}

test("a box that runs out of memory is told with the program that was ended and the limit", () => {
  const { told, look } = watching();
  const limits = { memoryBytes: 2 ** 31 };
  look({ limits });
  look({ limits, counters: { memory: 1, processes: 0 }, ended: () => ["node"] });
  expect(told).toEqual([
    { kind: "limit.reached", data: { limit: "memory", code: "out_of_memory", process: "node", at: 2 ** 31 } },
  ]);
});

test("a limit that is hit again and again is told once in ten seconds", () => {
  const { told, look, later } = watching();
  for (let hits = 1; hits <= 50; hits += 1) look({ counters: { memory: 0, processes: hits } });
  expect(told).toHaveLength(1);
  later(10_000);
  look({ counters: { memory: 0, processes: 51 } });
  expect(told).toHaveLength(2);
});

test("a full disk is told when it becomes full, not while it stays so", () => {
  const { told, look, later } = watching();
  const limits = { diskBytes: 100 << 20 };
  look({ limits, diskBytes: 50 << 20 });
  for (const _ of [1, 2, 3]) {
    look({ limits, diskBytes: (100 << 20) - 4_096 });
    later(60_000);
  }
  expect(told).toEqual([
    { kind: "limit.reached", data: expect.objectContaining({ limit: "disk", code: "workspace_full" }) },
  ]);
  look({ limits, diskBytes: 50 << 20 });
  look({ limits, diskBytes: 100 << 20 });
  expect(told).toHaveLength(2);
});

test("counters of a later epoch begin anew", () => {
  const { told, look, later } = watching();
  look({ counters: { memory: 3, processes: 0 } });
  later(20_000);
  look({ epoch: 2, counters: { memory: 1, processes: 0 } });
  expect(told).toHaveLength(2);
});
