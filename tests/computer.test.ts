import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";

const mib = 2 ** 20;
let alcove: TestAlcove;
beforeAll(async () => {
  alcove = await startTestAlcove({});
  await alcove.plane.client.workspaces.create({ name: "lab", limits: { memoryBytes: 256 * mib, processes: 200 } });
  await alcove.plane.client.workspaces.start("lab");
});
afterAll(() => alcove[Symbol.asyncDispose]());

const run = (script: string) => alcove.plane.client.workspaces.execAndWait("lab", { command: ["bash", "-c", script] });

test("figures of a running workspace are shown: memory, processor, processes, disk and network", async () => {
  const { client } = alcove.plane;
  await run("head -c 3000000 /dev/urandom > bytes; sync");
  await expect
    .poll(async () => (await client.workspaces.get("lab")).usage, { timeout: 15_000, interval: 500 })
    .toMatchObject({
      memoryBytes: expect.any(Number),
      cpuPercent: expect.any(Number),
      processes: expect.any(Number),
      diskBytes: expect.any(Number),
      networkInBytes: expect.any(Number),
      networkOutBytes: expect.any(Number),
    });
  const { items } = await client.workspaces.list();
  expect(items[0]?.usage?.memoryBytes).toBeGreaterThan(mib);
});

test("a program that is ended for want of memory becomes an event with a sentence", async () => {
  const { client } = alcove.plane;
  expect((await run(`perl -e 'my $x = "x" x (1 << 30); print length $x'`)).exitCode).toBe(137);
  await expect
    .poll(async () => (await client.workspaces.events("lab")).items.map(({ text }) => text), { timeout: 15_000 })
    .toContain("Out of memory: `perl` was ended at 256 MiB");
});

test("a changed limit holds at once, and one that is too low is refused and not kept", async () => {
  const { client } = alcove.plane;
  const changed = await client.workspaces.update("lab", { limits: { memoryBytes: 200 * mib, processes: 100 } });
  expect(changed.limits).toEqual({ memoryBytes: 200 * mib, processes: 100 });
  await run("head -c 90M /dev/zero > /dev/shm/a; head -c 60M /dev/zero > /tmp/b");
  await expect(client.workspaces.update("lab", { limits: { memoryBytes: 128 * mib } })).rejects.toMatchObject({
    code: "limit_too_low",
  });
  expect((await client.workspaces.get("lab")).limits).toEqual({ memoryBytes: 200 * mib, processes: 100 });
  const kinds = (await client.workspaces.events("lab")).items.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "changed")).toHaveLength(1);
});

test("events come in order and in pages", async () => {
  const { client } = alcove.plane;
  const { items } = await client.workspaces.events("lab", { after: 0 });
  expect(items.map(({ seq }) => seq)).toEqual(items.map((_, index) => index + 1));
  const newest = await client.workspaces.events("lab", { limit: 1 });
  expect(newest.items).toEqual(items.slice(-1));
  expect(newest.next).not.toBeNull();
});

test("the log of a box is there while it runs and after it has stopped", async () => {
  const { client } = alcove.plane;
  await client.workspaces.stop("lab");
  expect(await client.workspaces.log("lab")).toContain("{");
  await expect(client.workspaces.log("nowhere")).rejects.toMatchObject({ code: "not_found" });
});
