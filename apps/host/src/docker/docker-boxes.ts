import { CodedError } from "@alcove/contract/errors";
import type { KeyedQueue } from "@alcove/base/keyed-queue";
import { isId, type WorkspaceId } from "@alcove/contract/ids";
import type Docker from "dockerode";
import { readdirSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { appendFile, mkdir, rm } from "node:fs/promises";
import { allDone } from "../boxes/all-done.ts";
import type { BoxRecord } from "../boxes/box-record.ts";
import type { BoxStarter, Started } from "../boxes/box-starter.ts";
import type { Launcher } from "../boxes/launcher.ts";
import { writeHosts } from "../boxes/name-box.ts";
import { createNamespaces } from "../boxes/namespaces.ts";
import { assembleRoot, dismantleRoot } from "../boxes/root-tree.ts";
import type { Cgroups } from "../cgroups/cgroups.ts";
import type { HostAbilities } from "../capabilities/abilities.ts";
import { mount, unmountBelow } from "../kernel/mounts.ts";
import { markProcess } from "../kernel/processes.ts";
import { logLine } from "../log.ts";
import type { BoxNetworks } from "../network/box-networks.ts";
import { resolverFile } from "../network/resolver-file.ts";
import { boxPaths, boxUser, type Site } from "../site.ts";
import type { Template } from "../template/template.ts";
import { containerLimits, containerOptions, instanceLabel, workspaceLabel } from "./container.ts";
import { containerLog } from "./container-log.ts";
import { statusOf, type Engine } from "./engine.ts";
import { plainFacts } from "./image-facts.ts";
import type { BoxImage, Images } from "./images.ts";
import { insideLinkFolder, insidePrograms, socketName, type Programs } from "./programs.ts";

/** Made by the container itself, in memory. */
const ownFolders = new Set(["proc", "sys", "dev", "tmp", "run"]);
const noSuid = 0x2;
const noDevices = 0x4;
const noPrograms = 0x8;
const keptLogBytes = 2 ** 20;
const lookEveryMs = 3_000;

type Parts = {
  site: Site;
  engine: Engine;
  cgroups: Cgroups;
  networks: BoxNetworks;
  launcher: Launcher;
  abilities: () => HostAbilities;
  template: Template;
  images: Images;
  programs: Programs;
  store: string;
  limitVolume: (id: WorkspaceId, bytes: number | undefined) => Promise<void>;
};

/** Until the signal aborts: removes containers of boxes that do not run, once Docker answers. */
type KeepDockerTidy = (options: {
  queue: KeyedQueue;
  isRunning: (id: WorkspaceId) => Promise<boolean>;
  signal: AbortSignal;
}) => Promise<void>;

/** Boxes as containers of the machine's Docker: it makes namespaces, control groups and rights; root, volume and network are those of embedded boxes. */
export function createDockerBoxes(parts: Parts): BoxStarter & { tidy: KeepDockerTidy } {
  const { site, engine, cgroups, networks, launcher, abilities, template, images, programs, store, limitVolume } =
    parts;
  const nameOf = (id: WorkspaceId): string => `alcove-${site.instance}-${id}`;

  const imageOf = async ({ workspace, image, template: tree }: BoxRecord): Promise<BoxImage> => {
    if (image !== null) return images.open(workspace, image);
    return { source: await template.rootFor(workspace, tree), facts: plainFacts };
  };

  /** The folder in which the daemon makes its socket: small and in memory, because the box may fill it. */
  const makeLink = async (id: WorkspaceId, firstId: number): Promise<string> => {
    const { link } = boxPaths(site, id);
    await mkdir(link, { recursive: true, mode: 0o700 });
    const options = `mode=0710,uid=${firstId + boxUser},gid=${site.owner.gid},size=64k,nr_inodes=16`;
    mount("tmpfs", "tmpfs", link, noSuid | noDevices | noPrograms, options);
    return link;
  };

  /** The box's whole root, put together on the host; each folder at its top is bound into the container. */
  const assemble = async (
    record: BoxRecord,
    { source }: BoxImage,
    firstId: number,
  ): Promise<{ from: string; to: string; readOnly: boolean }[]> => {
    const { workspace, name } = record;
    const paths = boxPaths(site, workspace);
    // Files of root with the set-user-id bit lie here for a moment: no user of the host may reach them.
    await mkdir(paths.bundle, { recursive: true, mode: 0o700 });
    // A map of the same ids as Docker's; mounts keep it when its namespace has ended.
    using map = firstId === 0 ? null : await createNamespaces(firstId);
    assembleRoot({ site, workspace, name, firstId, store, source, userNamespace: map?.user ?? null });
    const folders = readdirSync(paths.root, { withFileTypes: true }).filter(
      (entry) => (entry.isDirectory() || entry.isFile()) && !ownFolders.has(entry.name),
    );
    return [
      ...folders.map((entry) => ({ from: `${paths.root}/${entry.name}`, to: `/${entry.name}`, readOnly: false })),
      { from: await programs.folder(), to: insidePrograms, readOnly: true },
      { from: await makeLink(workspace, firstId), to: insideLinkFolder, readOnly: false },
      { from: resolverFile(site.stage), to: "/etc/resolv.conf", readOnly: true },
      { from: writeHosts(paths.bundle, name), to: "/etc/hosts", readOnly: true },
    ];
  };

  const openNetwork = async (record: BoxRecord, pid: number, firstId: number): Promise<void> => {
    const { workspace, epoch, network } = record;
    const { egress } = abilities();
    const paths = boxPaths(site, workspace);
    const namespace = `/proc/${pid}/ns/net`;
    const opened = networks.open({ workspace, epoch, namespace, network, egress, trafficFile: paths.traffic });
    // The rules are there before there is a way out.
    await allDone([opened.sockets, opened.rules]);
    if (egress) await openWayOut(record, pid, firstId);
  };

  const openWayOut = async ({ workspace }: BoxRecord, pid: number, firstId: number): Promise<void> => {
    await launcher.openWayOut({
      workspace,
      namespaces: { user: firstId === 0 ? null : `/proc/${pid}/ns/user`, network: `/proc/${pid}/ns/net` },
      join: cgroups.createOuter(workspace),
      device: null,
      note: boxPaths(site, workspace).networkMark,
    });
  };

  const remove = (docker: Docker, name: string): Promise<unknown> =>
    docker
      .getContainer(name)
      .remove({ force: true, v: true })
      .catch((error: unknown) => {
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
      });

  /** False when Docker may have containers of boxes that have ended: at first, and when it was not there at their end. */
  let isTidy = false;
  const ownContainers = (): Promise<{ id: string; workspace: WorkspaceId }[]> =>
    engine.ask("look for boxes", "internal", async (docker) => {
      const filters = { label: [`${instanceLabel}=${site.instance}`, workspaceLabel] };
      return (await docker.listContainers({ all: true, filters })).flatMap(({ Id, Labels }) => {
        const workspace = Labels[workspaceLabel] ?? "";
        return isId("workspace", workspace) ? [{ id: Id, workspace }] : [];
      });
    });

  return {
    expect: () => undefined,
    settle: () => Promise.resolve(null),
    async bringUp(record): Promise<Started> {
      const id = record.workspace;
      const action = "start the workspace";
      if (!site.privileged)
        throw new CodedError(
          "runtime_unavailable",
          "Cannot start the workspace: boxes of Docker need a server that runs as root",
          {
            hint: "Start Alcove as root, or make the workspace on the embedded runtime.",
          },
        );
      const state = await engine.look();
      if (state.state !== "ready")
        throw new CodedError("runtime_unavailable", `Cannot start the workspace: ${state.detail}`);
      const { firstId } = state;
      const image = await imageOf(record);
      await limitVolume(id, record.limits.diskBytes);
      const mounts = await assemble(record, image, firstId);
      const { source, facts } = image;
      const options = containerOptions({
        record,
        instance: site.instance,
        name: nameOf(id),
        image: await images.emptyFor(source),
        facts,
        firstId,
        mounts,
      });
      const pid = await engine.ask(action, "workspace_start_failed", async (docker) => {
        const container = await docker.createContainer(options);
        await container.start();
        return (await container.inspect()).State.Pid;
      });
      const init = markProcess(pid);
      if (init === undefined)
        throw new CodedError(
          "workspace_start_failed",
          `Cannot start the workspace: its first process ended at once. ${await this.log(id)}`,
        );
      cgroups.place(id, pid);
      await openNetwork(record, pid, firstId);
      dismantleRoot(site, id);
      return { firstId: record.firstId, running: { init, rootfs: source.kind } };
    },
    adopt: (id, init) => cgroups.place(id, init.pid),
    async reopenWayOut(record, { pid }) {
      const docker = await engine.look();
      if (docker.state === "ready") await openWayOut(record, pid, docker.firstId);
    },
    async limit(record) {
      await engine.ask("change the limits", "limit_too_low", (docker) =>
        docker.getContainer(nameOf(record.workspace)).update(containerLimits(record)),
      );
    },
    async clear(id) {
      const paths = boxPaths(site, id);
      try {
        const words = await this.log(id);
        if (words !== "") await appendFile(paths.log, words, { mode: 0o600 });
        await engine.ask("remove the box", "internal", (docker) => remove(docker, nameOf(id)));
      } catch (error) {
        // Its processes are gone; what Docker still knows of it goes when Docker is back.
        if (!(error instanceof CodedError) || error.code !== "runtime_unavailable") throw error;
        isTidy = false;
        logLine("warn", "Docker keeps a container that has ended", { workspace: id, error });
      }
      unmountBelow(paths.link);
      if (statSync(paths.link, { throwIfNoEntry: false })?.isDirectory())
        await rm(paths.link, { recursive: true, force: true });
    },
    // A container makes its own.
    socketOf: (id) => `${boxPaths(site, id).link}/${socketName}`,
    userOf: () => boxUser,
    log: (id) =>
      engine.ask("read the log", "internal", (docker) => containerLog(docker.getContainer(nameOf(id)), keptLogBytes)),
    async tidy({ queue, isRunning, signal }) {
      for (; !signal.aborted; await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)) {
        if (!site.privileged || isTidy || (await engine.look()).state !== "ready") continue;
        try {
          for (const { id, workspace } of await ownContainers())
            await queue.run(workspace, async () => {
              if (!(await isRunning(workspace)))
                await engine.ask("remove a box", "internal", (docker) => remove(docker, id));
            });
          if ((await ownContainers()).length === 0) await programs.sweep();
          await images.sweep();
          isTidy = true;
        } catch (error) {
          logLine("warn", "what Docker keeps of ended boxes is not removed yet", { error });
        }
      }
    },
  };
}
