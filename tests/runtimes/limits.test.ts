import { afterAll, beforeAll, expect, test } from "vitest";
import { runInBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import type { BoxAddress } from "../../apps/control-plane/src/runtimes/runtime.ts";
import type { Limits } from "../../packages/contract/src/api/workspace.ts";
import type { BoxHappening } from "../../packages/contract/src/host.ts";
import { newId, type WorkspaceId } from "../../packages/contract/src/ids.ts";
import { startTestHost, type TestHost } from "../fixtures/host.ts";

const mib = 2 ** 20;
const signal = new AbortController().signal;
let host: TestHost;
const seen: BoxHappening[] = [];
const watching = new AbortController();
let watch: Promise<void>;

beforeAll(async () => {
  host = await startTestHost({ as: "root" });
  watch = (async () => {
    for await (const happening of host.runtime.happenings(0, watching.signal)) seen.push(happening);
  })().catch((error: unknown) => {
    if (!watching.signal.aborted) throw error;
  });
});
afterAll(async () => {
  watching.abort();
  await watch;
  await host[Symbol.asyncDispose]();
});

async function box(limits: Limits): Promise<{ id: WorkspaceId; address: BoxAddress }> {
  const id = newId("workspace");
  await host.volumes.create(id, signal);
  await host.runtime.create({ workspace: id, name: "blog", limits }, signal);
  return { id, address: await host.runtime.start(id, 1, signal) };
}

async function isTold(id: WorkspaceId, data: object): Promise<void> {
  await expect
    .poll(() => seen.filter(({ workspace }) => workspace === id).map((happening) => happening.data), {
      timeout: 15_000,
    })
    .toContainEqual(expect.objectContaining(data));
}

const alive = async (address: BoxAddress) =>
  expect((await runInBox(host.runtime, address, "echo here")).stdout).toBe("here\n");

test("a program that takes too much memory is ended and named; the box and its neighbour go on", async () => {
  const neighbour = await box({});
  const { id, address } = await box({ memoryBytes: 256 * mib });
  const bomb = await runInBox(host.runtime, address, `perl -e 'my $x = "x" x (1 << 30); print length $x'`);
  expect(bomb.exitCode).toBe(137);
  await isTold(id, { limit: "memory", code: "out_of_memory", process: "perl", at: 256 * mib });
  await alive(address);
  await alive(neighbour.address);
  expect(await host.runtime.inspect(id, signal)).toMatchObject({ state: "running", epoch: 1 });
});

test("memory that a box puts into /tmp and /dev/shm counts as its own", async () => {
  const { id, address } = await box({ memoryBytes: 256 * mib });
  const filled = await runInBox(
    host.runtime,
    address,
    "head -c 80M /dev/zero > /tmp/a; head -c 80M /dev/zero > /dev/shm/b; echo end",
  );
  expect(filled.stdout).toBe("end\n");
  await runInBox(host.runtime, address, `perl -e 'my $x = "x" x (1 << 27); print length $x'`);
  await isTold(id, { limit: "memory" });
  await runInBox(host.runtime, address, "rm -f /tmp/a /dev/shm/b");
  await alive(address);
});

test("a fork bomb is held below the limit of processes and told; the box still answers, and can end it", async () => {
  const { id, address } = await box({ processes: 128 });
  const bomb = runInBox(host.runtime, address, "bomb() { bomb | bomb & }; bomb 2> /dev/null; sleep 1000").catch(
    () => null,
  );
  await isTold(id, { limit: "processes", code: "out_of_processes", at: 128 });
  await alive(address);
  // One signal to all at once: what is ended one by one grows again.
  await runInBox(host.runtime, address, "kill -KILL -1").catch(() => null);
  await bomb;
  const answers = () =>
    runInBox(host.runtime, address, "echo here; exec true").then(
      ({ stdout }) => stdout,
      () => "",
    );
  await expect.poll(answers, { timeout: 20_000 }).toBe("here\n");
  expect(await host.runtime.inspect(id, signal)).toMatchObject({ state: "running", epoch: 1 });
});

test("a full disk is told, and removing makes room", async () => {
  const { id, address } = await box({ diskBytes: 64 * mib });
  const full = await runInBox(host.runtime, address, "head -c 200M /dev/zero > filler; sync; echo more > other");
  expect(full.stderr).toMatch(/quota|space/i);
  await isTold(id, { limit: "disk", code: "workspace_full", at: 64 * mib });
  await runInBox(host.runtime, address, "rm filler; sync");
  await expect
    .poll(async () => (await runInBox(host.runtime, address, "echo more > other")).exitCode, { timeout: 15_000 })
    .toBe(0);
});

test("files without content fill the disk too, and can be removed when it is full", async () => {
  const { id, address } = await box({ diskBytes: 64 * mib });
  const fill = 'mkdir "empty"; for my $n (1 .. 1e6) { open my $file, ">", "empty/$n" or die "$n: $!" }';
  await runInBox(host.runtime, address, "head -c 58M /dev/urandom > filler; sync");
  const full = await runInBox(host.runtime, address, `perl -e '${fill}'`);
  expect(full.stderr).toMatch(/^\d{3,6}: .*quota/i);
  await isTold(id, { limit: "disk", code: "workspace_full", at: 64 * mib });
  const removed = await runInBox(host.runtime, address, "rm -r empty filler; sync; echo more > other; cat other");
  expect(removed.stdout).toBe("more\n");
});

test("limits change while the box runs, and one below what is in use is refused and changes nothing", async () => {
  const { id, address } = await box({ memoryBytes: 512 * mib, openFiles: 1_000 });
  const spec = { workspace: id, name: "blog" };
  expect((await runInBox(host.runtime, address, "ulimit -n")).stdout).toBe("1000\n");
  await runInBox(host.runtime, address, "head -c 200M /dev/zero > /dev/shm/held");
  await expect(host.runtime.update({ ...spec, limits: { memoryBytes: 128 * mib } }, signal)).rejects.toMatchObject({
    code: "limit_too_low",
  });
  await host.runtime.update(
    { ...spec, limits: { memoryBytes: 300 * mib, processes: 50, cpus: 0.5, openFiles: 500 } },
    signal,
  );
  expect((await runInBox(host.runtime, address, "ulimit -n")).stdout).toBe("500\n");
  await runInBox(host.runtime, address, `perl -e 'my $x = "x" x (1 << 28); print length $x'`);
  await isTold(id, { limit: "memory", at: 300 * mib });
});

test("a disk's limit below what is in use is refused, and that of a full one is raised", async () => {
  const { id, address } = await box({ diskBytes: 96 * mib });
  await runInBox(host.runtime, address, "head -c 200M /dev/urandom > filler; sync");
  const limit = (diskBytes: number | undefined) =>
    host.runtime.update(
      { workspace: id, name: "limits", limits: diskBytes === undefined ? {} : { diskBytes } },
      signal,
    );
  await expect(limit(64 * mib)).rejects.toMatchObject({ code: "limit_too_low" });
  await limit(128 * mib);
  expect((await runInBox(host.runtime, address, "echo more > other; cat other")).stdout).toBe("more\n");
  await limit(undefined);
});

test("a box whose files are over their limit is changed in all other ways, and its limit is raised", async () => {
  const { id, address } = await box({});
  await runInBox(host.runtime, address, "head -c 100M /dev/urandom > filler; sync");
  await host.runtime.stop(id, 1, signal);
  const spec = { workspace: id, name: "blog", limits: { diskBytes: 64 * mib } };
  await host.runtime.create(spec, signal);
  await host.runtime.start(id, 2, signal);
  await host.runtime.update({ ...spec, network: { mode: "none" } }, signal);
  await host.runtime.update({ ...spec, limits: { diskBytes: 80 * mib } }, signal);
  await expect(host.runtime.update(spec, signal)).rejects.toMatchObject({ code: "limit_too_low" });
});

test("a limit of processes below those that run is refused", async () => {
  const { id, address } = await box({});
  await runInBox(host.runtime, address, "for n in $(seq 30); do sleep 1000 > /dev/null 2>&1 & done");
  await expect(
    host.runtime.update({ workspace: id, name: "limits", limits: { processes: 16 } }, signal),
  ).rejects.toMatchObject({ code: "limit_too_low" });
});

test("a box that ends by itself is told", async () => {
  const { id, address } = await box({});
  await runInBox(host.runtime, address, "kill -TERM 1").catch(() => undefined);
  await expect
    .poll(() => seen.filter(({ workspace }) => workspace === id), { timeout: 15_000 })
    .toContainEqual(expect.objectContaining({ kind: "box.died", epoch: 1 }));
});
