import { writeFile } from "node:fs/promises";
import path from "node:path";
import { runtimeContract, type RuntimeUnderTest } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import { startTestHost, type TestHostOptions } from "../fixtures/host.ts";

async function openRuntime(options: TestHostOptions): Promise<RuntimeUnderTest> {
  const host = await startTestHost(options);
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

runtimeContract("the embedded runtime as root", () => openRuntime({ as: "root" }));
runtimeContract("the embedded runtime as root, with boxes ahead", () => openRuntime({ as: "root", spareBoxes: 24 }));
runtimeContract("the embedded runtime of an ordinary user", () => openRuntime({ as: "ordinary user" }));
