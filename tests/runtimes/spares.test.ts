import { afterAll, beforeAll, expect, test } from "vitest";
import { runInBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import type { WorkspaceId } from "../../packages/contract/src/ids.ts";
import { startTestHost, type TestHost } from "../fixtures/host.ts";

const signal = new AbortController().signal;
const open = { mode: "open" as const, allow: [] };
let host: TestHost;
beforeAll(async () => {
  host = await startTestHost({ as: "root", spareBoxes: 3 });
});
afterAll(() => host[Symbol.asyncDispose]());

async function claim(name: string, limits = {}) {
  let claimed: Awaited<ReturnType<typeof host.runtime.claim>> = null;
  await expect
    .poll(async () => (claimed ??= await host.runtime.claim({ name, limits, network: open }, signal)), {
      timeout: 20_000,
    })
    .not.toBeNull();
  if (claimed === null) throw new Error("no box was ahead");
  return (claimed as NonNullable<Awaited<ReturnType<typeof host.runtime.claim>>>).address;
}

const end = async (id: WorkspaceId): Promise<void> => {
  await host.runtime.destroy(id, signal);
  await host.volumes.destroy(id, signal);
};

test("a box that was made ahead has the name and the limits that it was claimed with, and nobody sees it before", async () => {
  const before = await host.runtime.list(signal);
  const address = await claim("blog", { memoryBytes: 256 * 2 ** 20 });
  expect(before.map(({ id }) => id)).not.toContain(address.workspace);
  const { stdout } = await runInBox(
    host.runtime,
    address,
    "hostname; echo $ALCOVE_WORKSPACE_NAME; grep -c blog /etc/hosts; pwd; id -un",
  );
  expect(stdout).toBe("blog\nblog\n1\n/workspace/user/projects\nuser\n");
  const bomb = await runInBox(host.runtime, address, `perl -e 'my $x = "x" x (1 << 30); print length $x'`);
  expect(bomb.exitCode).toBe(137);
  await end(address.workspace);
});

test("two who claim at once never get the same box, and what was taken is made again", async () => {
  const boxes = await Promise.all([1, 2, 3, 4, 5, 6].map((number) => claim(`box-${number}`)));
  expect(new Set(boxes.map(({ workspace }) => workspace)).size).toBe(6);
  const names = await Promise.all(boxes.map((address) => runInBox(host.runtime, address, "hostname")));
  expect(names.map(({ stdout }) => stdout.trim())).toEqual(boxes.map((_, index) => `box-${index + 1}`));
  for (const { workspace } of boxes) await end(workspace);
});

test("a claimed box stops and starts like any other", async () => {
  const { workspace } = await claim("again");
  const claimed = async () => (await host.runtime.list(signal)).find(({ id }) => id === workspace)?.claimedForMs;
  expect(await claimed()).toBeGreaterThanOrEqual(0);
  await host.runtime.keep(workspace, signal);
  expect(await claimed()).toBeNull();
  await host.runtime.stop(workspace, 1, signal);
  const address = await host.runtime.start(workspace, 2, signal);
  expect((await runInBox(host.runtime, address, "hostname")).stdout).toBe("again\n");
  await end(workspace);
  await host.runtime.keep(workspace, signal);
  expect(await claimed()).toBeUndefined();
});

test("a host process that is killed leaves claimed boxes running and no others", async () => {
  const { workspace } = await claim("kept");
  await host.restart();
  expect(await host.runtime.inspect(workspace, signal)).toMatchObject({ state: "running", epoch: 1 });
  const next = await claim("next");
  expect(next.workspace).not.toBe(workspace);
  await end(workspace);
  await end(next.workspace);
});
