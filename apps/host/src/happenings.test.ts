import { newId } from "@alcove/contract/ids";
import { expect, test } from "vitest";
import { createHappenings } from "./happenings.ts";

const workspace = newId("workspace");
const hit = (at: number) =>
  ({ kind: "limit.reached", data: { limit: "memory", code: "out_of_memory", process: "node", at } }) as const;

test("what happened while nobody listened is given first, then what comes", async () => {
  const happenings = createHappenings();
  const stop = new AbortController();
  happenings.add(workspace, 1, hit(1));
  const follower = happenings.follow(0, stop.signal);
  const first = await follower.next();
  expect(first.value).toMatchObject({ workspace, epoch: 1, data: { at: 1 } });
  const second = follower.next();
  happenings.add(workspace, 1, hit(2));
  expect((await second).value).toMatchObject({ data: { at: 2 } });
  const again = happenings.follow(first.value?.cursor ?? 0, stop.signal);
  expect((await again.next()).value).toMatchObject({ data: { at: 2 } });
  stop.abort();
  expect((await follower.next()).done).toBe(true);
});

test("a cursor of an earlier host process hides nothing, and memory is bounded", async () => {
  const earlier = createHappenings(() => 1_000);
  earlier.add(workspace, 1, hit(1));
  const [old] = await Array.fromAsync(take(earlier.follow(0, new AbortController().signal), 1));
  const later = createHappenings(() => 2_000);
  for (let at = 0; at < 1_500; at += 1) later.add(workspace, 2, hit(at));
  const seen = await Array.fromAsync(take(later.follow(old?.cursor ?? 0, new AbortController().signal), 1_000));
  expect(seen[0]).toMatchObject({ data: { at: 500 } });
  expect(seen.at(-1)).toMatchObject({ data: { at: 1_499 } });
});

async function* take<T>(from: AsyncIterable<T>, count: number): AsyncGenerator<T, void, undefined> {
  let left = count;
  for await (const item of from) {
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}
