import { CodedError } from "@alcove/contract/errors";
import type { WorkspaceId } from "@alcove/contract/ids";
import type { HostAbilities } from "../capabilities/abilities.ts";
import type { Cgroups } from "../cgroups/cgroups.ts";
import { makeFolder } from "../kernel/folders.ts";
import { createSealedPrograms } from "../kernel/sealed-program.ts";
import { logLine } from "../log.ts";
import type { BoxNetworks } from "../network/box-networks.ts";
import { resolverFile } from "../network/resolver-file.ts";
import { boxPaths, boxUser, type Site } from "../site.ts";
import type { Template } from "../template/template.ts";
import { allDone } from "./all-done.ts";
import type { BoxRecord } from "./box-record.ts";
import type { BoxStarter, Running } from "./box-starter.ts";
import { ociConfig } from "./bundle.ts";
import { createExpectedNamespaces } from "./expected-namespaces.ts";
import type { Launcher } from "./launcher.ts";

type Parts = {
  site: Site;
  cgroups: Cgroups;
  networks: BoxNetworks;
  launcher: Launcher;
  abilities: () => HostAbilities;
  template: Template;
  store: string;
  limitVolume: (id: WorkspaceId, bytes: number | undefined) => Promise<void>;
};

/** Boxes that crun starts in namespaces and control groups of ours. */
export function createEmbeddedBoxes(parts: Parts): BoxStarter {
  const { site, cgroups, networks, launcher, abilities, template, store, limitVolume } = parts;
  const sealed = createSealedPrograms();
  const expected = createExpectedNamespaces((firstId) => networks.make(firstId));
  const openWayOut = async (
    { workspace, firstId }: BoxRecord,
    namespaces: { user: string; network: string },
    join: string[],
  ): Promise<void> => {
    const { tunnelDevice } = abilities();
    const note = boxPaths(site, workspace).networkMark;
    await launcher.openWayOut({ workspace, namespaces, firstId, join, device: tunnelDevice, note });
  };
  return {
    expect: ({ workspace, firstId }) => expected.begin(workspace, firstId),
    async bringUp(record) {
      const { egress, crun } = abilities();
      const id = record.workspace;
      if (crun === null)
        throw new CodedError("workspace_start_failed", "Cannot start the workspace: crun is not installed", {
          hint: "Run `apt-get install crun`.",
        });
      const paths = boxPaths(site, id);
      const source = await template.rootFor(id, record.template);
      makeFolder(paths.bundle);
      const join = cgroups.create(id, record.limits);
      using namespaces = await expected.take(id, record.firstId);
      const network = networks.open({
        workspace: id,
        epoch: record.epoch,
        namespace: namespaces.network,
        network: record.network,
        egress,
        trafficFile: paths.traffic,
      });
      const launch = async (): Promise<Running> => {
        const { name, firstId, limits } = record;
        if (limits.diskBytes !== undefined) await limitVolume(id, limits.diskBytes);
        const root = { site, workspace: id, name, firstId, store, source, userNamespace: namespaces.user };
        await Promise.all([launcher.assemble(root), network.sockets]);
        const config = ociConfig({
          record,
          epoch: record.epoch,
          root: paths.root,
          userNamespace: namespaces.user,
          networkNamespace: namespaces.network,
          resolverFile: resolverFile(site.stage),
        });
        const init = await launcher.launch({ site, record, config, join, crun: sealed(crun) });
        return { init, rootfs: source.kind };
      };
      const joinOuter = egress ? cgroups.createOuter(id) : [];
      const { user, network: networkNamespace } = namespaces;
      try {
        // The way out opens while the box starts, and after the rules that bound it.
        const opened = network.rules.then(() =>
          egress ? openWayOut(record, { user, network: networkNamespace }, joinOuter) : undefined,
        );
        const [running] = await allDone([launch(), opened]);
        return running;
      } finally {
        // The box has its own copy: nobody waits for the kernel here.
        launcher
          .leave(id)
          .catch((error: unknown) =>
            logLine("warn", "the root of a box's start is left until the host process ends", { workspace: id, error }),
          );
      }
    },
    // All of it is in control groups, in files and in the kernel, where it is found without this.
    adopt: () => undefined,
    reopenWayOut: (record, { pid }) =>
      openWayOut(
        record,
        { user: `/proc/${pid}/ns/user`, network: `/proc/${pid}/ns/net` },
        cgroups.createOuter(record.workspace),
      ),
    limit: () => Promise.resolve(),
    clear: () => Promise.resolve(),
    socketOf: (id) => boxPaths(site, id).socket,
    userOf: ({ firstId }) => firstId + boxUser,
    log: () => Promise.resolve(""),
  };
}
