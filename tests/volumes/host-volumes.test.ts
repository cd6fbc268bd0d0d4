import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import {
  type StoreUnderTest,
  volumeStoreContract,
} from "../../apps/control-plane/src/volumes/volume-store.contract.ts";
import { newId } from "../../packages/contract/src/ids.ts";
import { inVolume, startTestHost, type TestHostOptions } from "../fixtures/host.ts";

async function openStore(options: TestHostOptions): Promise<StoreUnderTest> {
  const host = await startTestHost(options);
  return {
    store: host.volumes,
    inside: (id, script) => inVolume(host, id, script),
    leftovers: (id) => host.leftovers(id),
    restart: () => host.restart(),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

volumeStoreContract("volumes on btrfs", () => openStore({ as: "root", volumes: "btrfs" }));
volumeStoreContract("volumes in plain folders", () => openStore({ as: "root", volumes: "plain" }));
volumeStoreContract("volumes of an ordinary user", () => openStore({ as: "ordinary user" }));

test.each([{ as: "root", volumes: "btrfs" }, { as: "root", volumes: "plain" }, { as: "ordinary user" }] as const)(
  "other users of the host reach no file of a workspace: $as, $volumes",
  async (options) => {
    await using host = await startTestHost(options);
    const signal = AbortSignal.timeout(60_000);
    const id = newId("workspace");
    await host.volumes.create(id, signal);
    await inVolume(host, id, "cp /bin/true user/projects/tool; chmod 4755 user/projects/tool");
    const { stdout } = await promisify(execFile)("find", [host.data, "-name", "tool"]);
    const tool = stdout.trim();
    expect(tool).toMatch(/\/user\/projects\/tool$/);
    const stranger = ["--reuid=4711", "--regid=4711", "--clear-groups", "--", "sh", "-c", tool];
    await expect(promisify(execFile)("setpriv", stranger)).rejects.toThrow(/Permission denied/);
    await host.volumes.destroy(id, signal);
  },
);

test("the space of deleted workspaces and snapshots comes back to the host", async () => {
  await using host = await startTestHost({ as: "root", volumes: "btrfs" });
  const signal = AbortSignal.timeout(120_000);
  const id = newId("workspace");
  const snapshot = newId("snapshot");
  const megabytes = async () => {
    await promisify(execFile)("sync", ["--file-system", path.join(host.data, "pool")]);
    return ((await stat(path.join(host.data, "pool.img"))).blocks * 512) / 2 ** 20;
  };
  await host.volumes.create(id, signal);
  await inVolume(host, id, "head -c 300000000 /dev/urandom > user/big");
  await host.volumes.snapshot(id, snapshot, signal);
  await inVolume(host, id, "rm user/big");
  expect(await megabytes()).toBeGreaterThan(280);
  await host.volumes.deleteSnapshot(id, snapshot, signal);
  await expect.poll(megabytes, { timeout: 90_000, interval: 1_000 }).toBeLessThan(100);
  await host.volumes.destroy(id, signal);
});
