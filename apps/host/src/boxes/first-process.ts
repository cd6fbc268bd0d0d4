import { CodedError } from "@alcove/contract/errors";
import type { HostAbilities } from "../capabilities/abilities.ts";
import type { Cgroups } from "../cgroups/cgroups.ts";
import { makeFolder } from "../kernel/folders.ts";
import type { ProcessMark } from "../kernel/processes.ts";
import { createSealedPrograms } from "../kernel/sealed-program.ts";
import { logLine } from "../log.ts";
import type { BoxNetworks } from "../network/box-networks.ts";
import { resolverFile } from "../network/resolver-file.ts";
import { boxPaths, type Site } from "../site.ts";
import { allDone } from "./all-done.ts";
import type { BoxRecord } from "./box-record.ts";
import { ociConfig } from "./bundle.ts";
import type { Launcher } from "./launcher.ts";
import type { BoxNamespaces } from "./namespaces.ts";

export type FirstProcessParts = {
  site: Site;
  cgroups: Cgroups;
  networks: BoxNetworks;
  launcher: Launcher;
  abilities: () => HostAbilities;
};

type Wish = {
  record: BoxRecord;
  /** Gives its namespaces, which are held until the box has them. */
  namespaces: () => Promise<BoxNamespaces>;
  /** Puts its root together, with the files as they appear in this user namespace. */
  assemble: (userNamespace: string) => Promise<void>;
  blank: boolean;
};

export interface FirstProcesses {
  /** Starts a box's first process in groups, namespaces and a network of its own. Codes: `workspace_start_failed`, `namespaces_forbidden`. */
  start(wish: Wish): Promise<ProcessMark>;
  openWayOut(
    record: Pick<BoxRecord, "workspace" | "firstId">,
    namespaces: { user: string; network: string },
    join: string[],
  ): Promise<void>;
}

export function createFirstProcesses(parts: FirstProcessParts): FirstProcesses {
  const { site, cgroups, networks, launcher, abilities } = parts;
  const sealed = createSealedPrograms();

  const openWayOut: FirstProcesses["openWayOut"] = async ({ workspace, firstId }, namespaces, join) => {
    const { tunnelDevice } = abilities();
    const note = boxPaths(site, workspace).networkMark;
    await launcher.openWayOut({ workspace, namespaces, firstId, join, device: tunnelDevice, note });
  };

  return {
    openWayOut,
    async start({ record, namespaces: take, assemble, blank }) {
      const { egress, crun } = abilities();
      const id = record.workspace;
      if (crun === null)
        throw new CodedError("workspace_start_failed", "Cannot start the workspace: crun is not installed", {
          hint: "Run `apt-get install crun`.",
        });
      const paths = boxPaths(site, id);
      makeFolder(paths.bundle);
      const join = cgroups.create(id, record.limits);
      using namespaces = await take();
      const { user, network: networkNamespace } = namespaces;
      const network = networks.open({
        workspace: id,
        epoch: record.epoch,
        namespace: networkNamespace,
        network: record.network,
        egress,
        trafficFile: paths.traffic,
      });
      const launch = async (): Promise<ProcessMark> => {
        await Promise.all([assemble(user), network.sockets]);
        const config = ociConfig({
          record,
          epoch: record.epoch,
          root: paths.root,
          userNamespace: user,
          networkNamespace,
          resolverFile: resolverFile(site.stage),
          blank,
        });
        return launcher.launch({ site, record, config, join, crun: sealed(crun), blank });
      };
      const joinOuter = egress ? cgroups.createOuter(id) : [];
      try {
        // The way out opens while the box starts, and after the rules that bound it.
        const opened = network.rules.then(() =>
          egress ? openWayOut(record, { user, network: networkNamespace }, joinOuter) : undefined,
        );
        const [init] = await allDone([launch(), opened]);
        return init;
      } finally {
        leavePlace(launcher, id);
      }
    },
  };
}

/** Lets the place go in which a root was put together. The box has its own copy: nobody waits for the kernel here. */
export function leavePlace(launcher: Launcher, id: BoxRecord["workspace"]): void {
  launcher
    .leave(id)
    .catch((error: unknown) =>
      logLine("warn", "the root of a box's start is left until the host process ends", { workspace: id, error }),
    );
}
