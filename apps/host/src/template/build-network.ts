import { newId } from "@alcove/contract/ids";
import { rm } from "node:fs/promises";
import type { Launcher } from "../boxes/launcher.ts";
import { signalProcess, waitForEnd, type ProcessMark } from "../kernel/processes.ts";
import type { BoxNetworks } from "../network/box-networks.ts";
import { buildMark } from "./workshop.ts";

const endDeadlineMs = 5_000;

/** A network for what somebody else's program fetches while it builds, with the reach of a box whose network is open: nothing of the host, nothing private. */
export interface BuildNetwork extends AsyncDisposable {
  /** The command that leads there. */
  enter: string[];
}

/** Without a way out on this host there is nothing but a loopback. Code: `internal`, `workspace_start_failed`, `namespaces_forbidden`. */
export async function openBuildNetwork(options: {
  networks: BoxNetworks;
  launcher: Launcher;
  abilities: { egress: boolean; tunnelDevice: string | null };
  /** First of the ids whose last one the way out runs as. */
  firstId: number;
  mark: string;
  trafficFile: string;
}): Promise<BuildNetwork> {
  const { networks, launcher, abilities, firstId, mark, trafficFile } = options;
  const { egress, tunnelDevice } = abilities;
  // No workspace has it: what is refused to the build is told to nobody.
  const workspace = newId("workspace");
  const namespaces = await networks.make(firstId);
  let wayOut: ProcessMark | undefined;
  const close = async (): Promise<void> => {
    networks.release(workspace);
    if (wayOut !== undefined) {
      signalProcess(wayOut, "SIGKILL");
      await waitForEnd(wayOut, endDeadlineMs);
    }
    namespaces[Symbol.dispose]();
    await rm(trafficFile, { force: true });
  };
  try {
    const network = networks.open({
      workspace,
      epoch: 1,
      namespace: namespaces.network,
      network: { mode: "open", allow: [] },
      egress,
      trafficFile,
    });
    await network.sockets;
    await network.rules;
    if (egress)
      wayOut = await launcher.openWayOut({
        workspace,
        namespaces: { user: namespaces.user, network: namespaces.network },
        firstId,
        join: [],
        device: tunnelDevice,
        env: { [buildMark]: mark },
        note: null,
      });
    return { enter: ["nsenter", `--net=${namespaces.network}`, "--"], [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
