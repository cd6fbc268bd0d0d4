import { createKeyedQueue } from "@alcove/base/keyed-queue";
import { treeId } from "@alcove/base/tree-id";
import { CodedError } from "@alcove/contract/errors";
import type { HostLoad } from "@alcove/contract/api/account";
import type { WorkspaceId } from "@alcove/contract/ids";
import { chmod, chown, mkdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { openBoxRecords } from "./boxes/box-record.ts";
import { createLauncher } from "./boxes/launcher.ts";
import { createBoxes } from "./boxes/boxes.ts";
import { createSpares } from "./boxes/spares.ts";
import { createIdRanges, diskIdOffset } from "./boxes/id-range.ts";
import { hostFindings, lookAtHost } from "./capabilities/abilities.ts";
import { createCgroups, removeInstanceFolders } from "./cgroups/cgroups.ts";
import { buildImage } from "./docker/build-image.ts";
import { createDockerBoxes } from "./docker/docker-boxes.ts";
import { dockerCapabilities } from "./docker/docker-capabilities.ts";
import { createEngine } from "./docker/engine.ts";
import { createImages } from "./docker/images.ts";
import { createPrograms } from "./docker/programs.ts";
import { createEmbeddedBoxes } from "./boxes/embedded-boxes.ts";
import { createHappenings, happeningLines } from "./happenings.ts";
import { readLoad } from "./capabilities/load.ts";
import { openKernelLog } from "./limits/kernel-log.ts";
import { createLimitWatch } from "./limits/limit-watch.ts";
import { adoptOrphans } from "./kernel/orphans.ts";
import { forbiddenNamespaces } from "./capabilities/forbidden-namespaces.ts";
import { createBoxNetworks } from "./network/box-networks.ts";
import { writeResolverFile } from "./network/resolver-file.ts";
import { releaseNamespace, type Rights } from "./own-namespace.ts";
import { serveOperations, type Handlers } from "./server.ts";
import { type Site } from "./site.ts";
import { closeStage, openStage } from "./stage.ts";
import { sweep } from "./sweep.ts";
import { createBuiltTrees } from "./template/built-trees.ts";
import { nixFinding } from "./template/nix-environment.ts";
import { createTemplate } from "./template/template.ts";
import { createBtrfsTrees } from "./volumes/btrfs-trees.ts";
import { createPlainTrees } from "./volumes/plain-trees.ts";
import { closeStore, openStore } from "./volumes/pool.ts";
import { createVolumes } from "./volumes/volumes.ts";
import { watchBoxes } from "./watch-boxes.ts";

const done = {};

/** Everything of the host process; serves until the signal aborts or `shutdown` is asked for. Boxes go on after its end unless they were to be stopped. */
export async function runHost({
  site,
  socket,
  rights,
  signal,
  buildsTemplate,
  spareBoxes,
  dockerAddress,
}: {
  site: Site;
  socket: string;
  rights: Rights;
  signal: AbortSignal;
  buildsTemplate: boolean;
  /** How many boxes are kept ahead; null leaves it to the machine's memory. */
  spareBoxes: number | null;
  /** Where Docker listens; null looks for it, `none` does without. */
  dockerAddress: string | null;
}): Promise<void> {
  adoptOrphans();
  await makeFolders(site);
  const ending = new AbortController();
  signal.addEventListener("abort", () => ending.abort(), { once: true });

  const store = await openStore(site);
  const records = await openBoxRecords(site);
  const queue = createKeyedQueue();
  let abilities = await lookAtHost(site);
  const cgroups = createCgroups(site);
  const trees =
    store.kind === "btrfs" ? createBtrfsTrees({ folder: store.folder, ownPool: store.isOwnPool }) : createPlainTrees();
  const volumes = createVolumes({
    trees,
    store: store.folder,
    idOffset: diskIdOffset(site),
    isRunning: (id) => boxes.isRunning(id),
    whilePaused: (id, work) => boxes.whilePaused(id, work),
  });
  const happenings = createHappenings();
  await using networks = createBoxNetworks((workspace, epoch, denial) =>
    happenings.add(workspace, epoch, { kind: "network.denied", data: { ...denial, times: 1 } }),
  );
  await using launcher = createLauncher({ hybridMount: cgroups.hybridMount });
  const template = createTemplate({ site, store: store.folder, trees });
  const builtTrees = createBuiltTrees({
    site,
    store: store.folder,
    folder: template.folder,
    base: template.base,
    trees,
    records,
    networks,
    launcher,
    abilities: () => abilities,
    signal: ending.signal,
  });
  const engine = createEngine(dockerAddress);
  const images = createImages({ engine, site, store: store.folder });
  const volumeBytes = async (id: WorkspaceId) => (trees.hasLimits ? volumes.filesBytes(id) : null);
  const canFreeze = rights.kind !== "none" && cgroups.freeze;
  const wantedSpares = canFreeze ? (spareBoxes ?? sparesFor(await readLoad(site.data))) : 0;
  const ahead = {
    lastTaking: { at: 0 },
    usualKind: () => (template.status().state === "ready" ? ("template" as const) : ("host" as const)),
    hasRoom: async () => sparesFor(await readLoad(site.data)) > 0,
  };
  const common = {
    site,
    records,
    ranges: createIdRanges(site, records),
    cgroups,
    networks,
    launcher,
    abilities: () => abilities,
    template,
    store: store.folder,
    limitVolume: (id: WorkspaceId, bytes: number | undefined) => volumes.limit(id, bytes),
    volumeBytes,
  };
  const docker = createDockerBoxes({ ...common, engine, images, programs: createPrograms(site) });
  const embedded = createEmbeddedBoxes({ ...common, ...ahead, wanted: Math.ceil(wantedSpares / sparesPerBlank) });
  const boxes = createBoxes({ ...common, starters: { embedded, docker } });
  await sweep({ site, boxes, cgroups });
  await builtTrees.sweep();

  let stopsBoxes = false;
  const mustHaveRights = (): void => {
    if (rights.kind !== "none") return;
    throw new CodedError("namespaces_forbidden", rights.finding.detail, { hint: `Run \`${rights.finding.remedy}\`.` });
  };
  const one =
    <R extends { workspace: WorkspaceId }, A>(work: (request: R) => Promise<A>) =>
    (request: R): Promise<A> => {
      mustHaveRights();
      return queue.run(request.workspace, () => work(request));
    };
  const quiet = <R extends { workspace: WorkspaceId }>(work: (request: R) => Promise<unknown>) =>
    one(async (request: R) => {
      await work(request);
      return done;
    });
  const findings = () => hostFindings({ site, rights, abilities, cgroups, store, limitsDisk: trees.hasLimits });

  const spares = createSpares({
    ...ahead,
    boxes,
    queue,
    wanted: wantedSpares,
    createVolume: (id) => volumes.create(id),
    destroyVolume: (id) => volumes.destroy(id),
  });
  const { blanks } = embedded;
  const kept = Promise.all([spares.keep(ending.signal), blanks.keep(ending.signal)]);

  const handlers: Handlers = {
    async "runtime.capabilities"({ runtime: name }) {
      abilities = await lookAtHost(site);
      if (name === "docker")
        return dockerCapabilities({ site, engine, abilities, cgroups, template: template.status() });
      const usable = abilities.crun !== null && rights.kind !== "none" && forbiddenNamespaces(site.privileged) === null;
      const status = template.status();
      const { runtime } = findings();
      return {
        usable,
        privileged: site.privileged,
        rootfs: usable ? ahead.usualKind() : null,
        template: status,
        egress: abilities.egress,
        limits: cgroups.limits,
        freeze: cgroups.freeze,
        findings: runtime,
      };
    },
    "box.claim": async (wish) => {
      mustHaveRights();
      return { claimed: await spares.claim(wish) };
    },
    "box.keep": quiet(({ workspace }) => boxes.keep(workspace)),
    "box.create": quiet((request) => boxes.create(request)),
    "box.update": quiet((request) => boxes.update(request)),
    "box.start": one(({ workspace, epoch }) => boxes.start(workspace, epoch)),
    "box.stop": quiet(({ workspace, epoch }) => boxes.stop(workspace, epoch)),
    "box.freeze": quiet(({ workspace }) => boxes.freeze(workspace)),
    "box.thaw": quiet(({ workspace }) => boxes.thaw(workspace)),
    "box.destroy": quiet(({ workspace }) => boxes.destroy(workspace)),
    "box.inspect": ({ workspace }) => boxes.inspect(workspace),
    "box.list": () => boxes.list(),
    "box.log": async ({ workspace, maxBytes }) => ({ text: await boxes.log(workspace, maxBytes) }),
    "volume.capabilities": async () => ({
      kind: store.kind,
      instantSnapshots: store.kind === "btrfs",
      diskLimits: trees.hasLimits,
      findings: findings().volumes,
    }),
    "volume.create": quiet(({ workspace }) => volumes.create(workspace)),
    "volume.destroy": quiet(({ workspace }) => volumes.destroy(workspace)),
    "volume.snapshot": quiet(({ workspace, snapshot }) => volumes.snapshot(workspace, snapshot)),
    "volume.deleteSnapshot": quiet(({ workspace, snapshot }) => volumes.deleteSnapshot(workspace, snapshot)),
    "volume.fork": async ({ workspace, snapshot, target }) => {
      mustHaveRights();
      // It would wait for itself.
      if (target === workspace) throw new CodedError("bad_request", "Cannot fork a workspace into itself");
      // The target's line first: its deletion, asked for meanwhile, comes after this.
      await queue.run(target, () => queue.run(workspace, () => volumes.fork(workspace, snapshot, target)));
      return done;
    },
    "volume.restore": quiet(({ workspace, snapshot }) => volumes.restore(workspace, snapshot)),
    "volume.changes": one(({ workspace, from, fromWorkspace = workspace, to }) =>
      volumes.changes(workspace, { workspace: fromWorkspace, snapshot: from }, to),
    ),
    "volume.revert": one(({ workspace, from, to }) => volumes.revert(workspace, from, to)),
    "volume.usage": ({ workspace }) => volumes.usage(workspace),
    "host.load": () => readLoad(site.data),
    "template.status": async () => template.status(),
    "template.build": async ({ tree, recipe }) => {
      mustHaveRights();
      if (treeId(recipe) !== tree) throw new CodedError("bad_request", "The id is not that of the recipe");
      return builtTrees.build(tree, recipe);
    },
    "template.trees": ({ trees: wanted, nix = [] }) =>
      Promise.all(wanted.map((tree) => builtTrees.look(tree, nix.includes(tree)))),
    "template.nix": async () => ({ finding: nixFinding(site) }),
    "template.keep": async ({ trees: wanted, olderThanMs }) => {
      await builtTrees.keep(wanted, olderThanMs);
      return done;
    },
    async shutdown({ stopBoxes }) {
      ending.abort();
      await kept;
      if (stopBoxes) await Promise.all([spares.clear(), blanks.clear()]);
      if (stopBoxes) await Promise.all((await boxes.ids()).map((id) => queue.run(id, () => boxes.halt(id))));
      stopsBoxes = stopBoxes;
      return done;
    },
  };

  const server = await serveOperations({
    socket,
    owner: site.owner,
    handlers,
    raw: {
      "volume.read": async ({ workspace, snapshot, path }) => {
        const { stream, size } = await volumes.read(workspace, snapshot, path);
        return { stream, headers: { "content-type": "application/octet-stream", "content-length": size } };
      },
      "volume.export": async ({ workspace, snapshot }, gone) => ({
        stream: await volumes.export(workspace, snapshot, gone),
        headers: { "content-type": "application/gzip" },
      }),
      "box.happenings": async ({ after }, gone) => ({
        stream: Readable.from(happeningLines(happenings, after, AbortSignal.any([gone, ending.signal]))),
        headers: { "content-type": "application/x-ndjson" },
      }),
    },
    uploads: {
      "template.unpack": async ({ largestBytes }, body, gone) => {
        mustHaveRights();
        const unpacked = await builtTrees.unpack(body, largestBytes, gone);
        return { stream: Readable.from([JSON.stringify(unpacked)]), headers: { "content-type": "application/json" } };
      },
      "image.build": async (wish, body, gone) => ({
        stream: Readable.from(buildImage({ engine, wish, body, signal: AbortSignal.any([gone, ending.signal]) })),
        headers: { "content-type": "application/x-ndjson" },
      }),
    },
  });
  using kernelLog = openKernelLog();
  const limitWatch = createLimitWatch({ tell: happenings.add });
  const background = [
    watchBoxes({
      site,
      boxes,
      cgroups,
      queue,
      happenings,
      limitWatch,
      kernelLog,
      diskBytes: volumeBytes,
      signal: ending.signal,
    }),
  ];
  background.push(docker.tidy({ queue, isRunning: (id) => boxes.isRunning(id), signal: ending.signal }));
  if (rights.kind !== "none" && template.status().state !== "ready") background.push(template.prepare());
  if (buildsTemplate) background.push(template.base.build(ending.signal));
  await new Promise<void>((resolve) => {
    if (ending.signal.aborted) return resolve();
    ending.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await server[Symbol.asyncDispose]();
  await Promise.all([...background, kept, queue.drain(), builtTrees.drain()]);
  if (!stopsBoxes) return;
  if (rights.kind === "namespace") return releaseNamespace(site.data);
  await launcher.leaveAll();
  await closeStore(site);
  closeStage(site);
  removeInstanceFolders(site.instance);
}

/** The folders of the host process. Boxes' users walk the data directory's top to nothing but what is mounted for them; what is private is closed by itself. */
async function makeFolders(site: Site): Promise<void> {
  const { uid, gid } = site.owner;
  for (const folder of ["boxes", "logs/boxes"]) await mkdir(`${site.data}/${folder}`, { recursive: true, mode: 0o700 });
  await mkdir(`${site.data}/opt`, { recursive: true, mode: 0o755 });
  await mkdir(`${site.data}/run/boxes`, { recursive: true, mode: 0o710 });
  // The owner may go in and connect, but not replace a socket.
  await chown(`${site.data}/run/boxes`, process.geteuid?.() ?? 0, gid);
  await chmod(`${site.data}/run/boxes`, uid === 0 ? 0o700 : 0o710);
  await mkdir(site.stage, { recursive: true, mode: 0o755 });
  openStage(site);
  await mkdir(`${site.stage}/crun`, { recursive: true, mode: 0o755 });
  await writeResolverFile(site.stage);
}

const bytesPerSpare = 2 ** 30;
const mostSpares = 24;
/** People make more workspaces at once than they wake or fork. */
const sparesPerBlank = 6;

/** One box ahead for each GiB of free memory; at least two where there is one. */
function sparesFor({ memoryAvailableBytes }: HostLoad): number {
  const gibs = Math.floor(memoryAvailableBytes / bytesPerSpare);
  return gibs === 0 ? 0 : Math.min(mostSpares, Math.max(2, gibs));
}
