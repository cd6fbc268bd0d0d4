import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, describe } from "vitest";
import { runtimeContract, type RuntimeUnderTest } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import { startTestDocker } from "../fixtures/docker.ts";
import { startTestHost } from "../fixtures/host.ts";

const docker = await startTestDocker();
afterAll(() => docker?.[Symbol.asyncDispose]());

async function openRuntime(): Promise<RuntimeUnderTest> {
  const host = await startTestHost({ as: "root", ...(docker && { docker: docker.address }) });
  const canary = path.join(host.data, "canary");
  await writeFile(canary, "secret", { mode: 0o644 });
  const signal = AbortSignal.timeout(600_000);
  return {
    runtime: host.runtime,
    prepareVolume: (id) => host.volumes.create(id, signal),
    removeVolume: (id) => host.volumes.destroy(id, signal),
    restart: () => host.restart(),
    leftovers: (id) => host.leftovers(id),
    hostFiles: [
      canary,
      "/etc/machine-id-of-host",
      "/var/lib/postgresql",
      "/etc/ssh/sshd_config",
      "/etc/ssl/private",
      process.cwd(),
    ],
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

describe.skipIf(docker === undefined)("where Docker runs", () => {
  runtimeContract("the Docker runtime", openRuntime);
});
