import type { Rootfs } from "@alcove/contract/host";
import { newId, type WorkspaceId } from "@alcove/contract/ids";
import { boxPaths, boxUser } from "../site.ts";
import type { Template } from "../template/template.ts";
import { createBlanks, type Blanks } from "./blanks.ts";
import type { BoxRecord } from "./box-record.ts";
import type { BoxStarter } from "./box-starter.ts";
import { createExpectedNamespaces } from "./expected-namespaces.ts";
import { createFirstProcesses, type FirstProcessParts } from "./first-process.ts";
import type { IdRanges } from "./id-range.ts";
import type { LastTaking } from "./stock.ts";

type Parts = FirstProcessParts & {
  ranges: IdRanges;
  template: Template;
  store: string;
  limitVolume: (id: WorkspaceId, bytes: number | undefined) => Promise<void>;
  /** How many blanks are kept. */
  wanted: number;
  lastTaking: LastTaking;
  usualKind: () => Rootfs;
  hasRoom: () => Promise<boolean>;
};

/** Boxes that crun starts in namespaces and control groups of ours. */
export function createEmbeddedBoxes(parts: Parts): BoxStarter & { blanks: Blanks } {
  const { site, cgroups, networks, launcher, template, store, limitVolume } = parts;
  const expected = createExpectedNamespaces((firstId) => networks.make(firstId));
  const firstProcesses = createFirstProcesses(parts);
  const blanks = createBlanks({
    ...parts,
    firstProcesses,
    usualSource: () => template.rootFor(newId("workspace")),
  });
  const limitDisk = async ({ workspace, limits }: BoxRecord): Promise<void> => {
    if (limits.diskBytes !== undefined) await limitVolume(workspace, limits.diskBytes);
  };
  return {
    blanks,
    expect: (record) => (blanks.fits(record) ? undefined : expected.begin(record.workspace, record.firstId)),
    async settle(record) {
      if (!blanks.fits(record)) return null;
      const source = await template.rootFor(record.workspace, record.template);
      await limitDisk(record);
      return blanks.settle(record, source);
    },
    async bringUp(record) {
      const { workspace, name, firstId } = record;
      const source = await template.rootFor(workspace, record.template);
      await limitDisk(record);
      const init = await firstProcesses.start({
        record,
        namespaces: () => expected.take(workspace, firstId),
        assemble: (userNamespace) =>
          launcher.assemble({ site, workspace, name, firstId, store, source, userNamespace }),
        blank: false,
      });
      return { firstId, running: { init, rootfs: source.kind } };
    },
    // All of it is in control groups, in files and in the kernel, where it is found without this.
    adopt: () => undefined,
    reopenWayOut: (record, { pid }) =>
      firstProcesses.openWayOut(
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
