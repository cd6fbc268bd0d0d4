import {
  type StoreUnderTest,
  volumeStoreContract,
} from "../../apps/control-plane/src/volumes/volume-store.contract.ts";
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
