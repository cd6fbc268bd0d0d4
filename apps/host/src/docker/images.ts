import type Docker from "dockerode";
import { CodedError } from "@alcove/contract/errors";
import type { WorkspaceId } from "@alcove/contract/ids";
import { chmod, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { plainEnvironment } from "../kernel/command.ts";
import type { RootSource } from "../template/root-source.ts";
import type { Site } from "../site.ts";
import { volumePaths } from "../volumes/layout.ts";
import { writeBoxLayer } from "./box-layer.ts";
import { instanceLabel } from "./container.ts";
import { statusOf, type Engine } from "./engine.ts";
import { imageFactsSchema, readImageFacts, type ImageFacts } from "./image-facts.ts";

const unpackMs = 600_000;
const layerPrefix = "image-";

/** An image as boxes have it: the tree that their root lies over, and what is to be known of it. */
export type BoxImage = { source: RootSource; facts: ImageFacts };

/**
 * Root file systems of Docker's images below the volume store's folder, each unpacked once. So the box's own layer over it is part of the workspace's volume, as on
 * the embedded runtime: snapshots, restores and forks hold what was installed.
 */
export function createImages({ engine, site, store }: { engine: Engine; site: Site; store: string }) {
  const { instance, stage } = site;
  const folder = `${store}/images`;
  const unpacking = new Map<string, Promise<void>>();

  const inspect = (image: string): Promise<Docker.ImageInspectInfo> =>
    engine.ask(`use the image "${image}"`, "workspace_start_failed", async (docker) => {
      try {
        return await docker.getImage(image).inspect();
      } catch (cause) {
        if (statusOf(cause) !== 404) throw cause;
        throw new CodedError("image_not_found", `Cannot use the image "${image}": Docker does not have it`, {
          hint: `Run \`docker pull ${image}\` on the server, or build it there.`,
          cause,
        });
      }
    });

  const unpack = async (id: string, tree: string): Promise<void> => {
    const fresh = `${tree}.new`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(`${fresh}/tree`, { recursive: true, mode: 0o755 });
    await engine.ask(
      "unpack the image",
      "workspace_start_failed",
      async (docker) => {
        const container = await docker.createContainer({
          Image: id,
          Cmd: ["none"],
          Labels: { [instanceLabel]: instance },
        });
        try {
          await untar(await container.export(), `${fresh}/tree`);
        } finally {
          await container.remove({ force: true });
        }
      },
      unpackMs,
    );
    const { Config } = await inspect(id);
    const facts = readImageFacts(`${fresh}/tree`, { env: Config.Env ?? [], labels: Config.Labels ?? {} });
    await writeBoxLayer(`${fresh}/tree`, `${fresh}/box`, facts.shell);
    await writeFile(`${fresh}/facts.json`, JSON.stringify(facts));
    await rename(fresh, tree);
  };

  /** The name of the image's tree, which is made when it is missing. */
  const unpacked = async (image: string): Promise<string> => {
    const { Id: id } = await inspect(image);
    const name = id.replace(/^sha256:/, "").slice(0, 16);
    const tree = `${folder}/${name}`;
    if (existsSync(tree)) return name;
    const running = unpacking.get(tree) ?? unpack(id, tree).finally(() => unpacking.delete(tree));
    unpacking.set(tree, running);
    await running;
    return name;
  };

  return {
    /**
     * What the workspace's root lay over before as long as that is there, else the image. Codes: `image_not_found`, `runtime_unavailable`, `workspace_start_failed`. The
     * first call for an image takes as long as its files do.
     */
    async open(id: WorkspaceId, image: string): Promise<BoxImage> {
      const layers = await readdir(volumePaths(store, id).rootLayer).catch(() => []);
      const own = layers.filter((name) => name.startsWith(layerPrefix)).map((name) => name.slice(layerPrefix.length));
      const kept = own.find((name) => existsSync(`${folder}/${name}`));
      const name = kept ?? (await unpacked(image));
      const tree = `${folder}/${name}`;
      return {
        source: { kind: "image", root: `${tree}/tree`, over: [`${tree}/box`], layer: layerPrefix + name },
        facts: imageFactsSchema.parse(JSON.parse(await readFile(`${tree}/facts.json`, "utf8"))),
      };
    },
    /** Removes the trees of images that Docker no longer has and no volume or snapshot lies over, and what a crash left of one. */
    async sweep(): Promise<void> {
      const inUse = await layersOfVolumes(store);
      for (const name of await readdir(folder).catch(() => [])) {
        if (unpacking.has(`${folder}/${name.replace(/\.new$/, "")}`) || inUse.has(layerPrefix + name)) continue;
        const isKnown = await engine.ask("look for an image", "internal", (docker) => idOf(docker, name));
        if (isKnown === null) await rm(`${folder}/${name}`, { recursive: true, force: true });
      }
    },
    /** The empty image of boxes over this root: just the names at its top, in whose place the box's own files and folders are bound. */
    async emptyFor({ root, layer }: RootSource): Promise<string> {
      const reference = `alcove-root:${layer}`;
      return engine.ask("make the box's empty image", "workspace_start_failed", async (docker) => {
        const known = await idOf(docker, reference);
        if (known !== null) return known;
        const archive = Readable.from([await emptyTree(root, `${stage}/${layer}`)]);
        for await (const _ of await docker.importImage(archive, { repo: "alcove-root", tag: layer }));
        return (await docker.getImage(reference).inspect()).Id;
      });
    },
  };
}

/** The names of all layers that any workspace or snapshot of one has. */
async function layersOfVolumes(store: string): Promise<Set<string>> {
  const layers = new Set<string>();
  const add = async (tree: string): Promise<void> => {
    for (const name of await readdir(`${tree}/root`).catch(() => [])) layers.add(name);
  };
  for (const id of await readdir(`${store}/workspaces`).catch(() => [])) {
    await add(`${store}/workspaces/${id}/live`);
    const snapshots = `${store}/workspaces/${id}/snapshots`;
    for (const snapshot of await readdir(snapshots).catch(() => [])) await add(`${snapshots}/${snapshot}`);
  }
  return layers;
}

async function idOf(docker: Docker, reference: string): Promise<string | null> {
  try {
    return (await docker.getImage(reference).inspect()).Id;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

/** A tar of empty folders and files with the names of those at the tree's top, and of its links as they are. */
async function emptyTree(tree: string, scratch: string): Promise<Buffer> {
  await rm(scratch, { recursive: true, force: true });
  try {
    for (const name of ["dev", "proc", "run", "sys", "tmp", "workspace"])
      await mkdir(`${scratch}/${name}`, { recursive: true, mode: 0o755 });
    // What is mounted there takes its mode from here.
    for (const name of ["run", "tmp"]) await chmod(`${scratch}/${name}`, 0o1777);
    for (const entry of await readdir(tree, { withFileTypes: true })) {
      const place = `${scratch}/${entry.name}`;
      if (existsSync(place)) continue;
      if (entry.isSymbolicLink()) await symlink(await readlink(`${tree}/${entry.name}`), place);
      else if (entry.isDirectory()) await mkdir(place, { mode: 0o755 });
      else if (entry.isFile()) await writeFile(place, "");
    }
    const tar = Bun.spawn(["tar", "-C", scratch, "-c", "."], {
      stdin: "ignore",
      stderr: "ignore",
      env: plainEnvironment,
    });
    return Buffer.from(await new Response(tar.stdout).arrayBuffer());
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

export type Images = ReturnType<typeof createImages>;

/** Devices of an image are never of use to a box. */
async function untar(archive: NodeJS.ReadableStream, target: string): Promise<void> {
  const child = Bun.spawn(
    ["tar", "-C", target, "--extract", "--preserve-permissions", "--numeric-owner", "--xattrs", "--exclude=dev/*"],
    {
      stdin: "pipe",
      stdout: "ignore",
      stderr: "pipe",
      env: plainEnvironment,
    },
  );
  await pipeline(archive, async (parts) => {
    for await (const part of parts) {
      void child.stdin.write(part);
      await child.stdin.flush();
    }
    await child.stdin.end();
  });
  const words = await new Response(child.stderr).text();
  if ((await child.exited) !== 0)
    throw new CodedError("workspace_start_failed", `Cannot unpack the image: ${words.trim().slice(-500)}`);
}
