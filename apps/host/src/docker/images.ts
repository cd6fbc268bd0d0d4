import type Docker from "dockerode";
import { CodedError } from "@alcove/contract/errors";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { plainEnvironment } from "../kernel/command.ts";
import type { RootSource } from "../template/root-source.ts";
import { isThere } from "../volumes/pool.ts";
import { writeBoxLayer } from "./box-layer.ts";
import { instanceLabel } from "./container.ts";
import { statusOf, type Engine } from "./engine.ts";
import { imageFactsSchema, readImageFacts, type ImageFacts } from "./image-facts.ts";

const unpackMs = 600_000;

/** An image as boxes have it: the reference for Docker, the tree that their root lies over, and what is to be known of it. */
export type BoxImage = { reference: string; source: RootSource; facts: ImageFacts };

/**
 * Root file systems of Docker's images below the volume store's folder, each unpacked once. So the box's own layer over it is part of the workspace's volume, as on
 * the embedded runtime: snapshots, restores and forks hold what was installed.
 */
export function createImages({ engine, instance, store }: { engine: Engine; instance: string; store: string }) {
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

  return {
    /** Codes: `image_not_found`, `runtime_unavailable`, `workspace_start_failed`. The first call for an image takes as long as its files do. */
    async open(image: string): Promise<BoxImage> {
      const { Id: id } = await inspect(image);
      const name = id.replace(/^sha256:/, "").slice(0, 16);
      const tree = `${folder}/${name}`;
      if (!(await isThere(tree))) {
        const running = unpacking.get(tree) ?? unpack(id, tree).finally(() => unpacking.delete(tree));
        unpacking.set(tree, running);
        await running;
      }
      const facts = imageFactsSchema.parse(JSON.parse(await readFile(`${tree}/facts.json`, "utf8")));
      return {
        reference: id,
        source: { kind: "image", root: `${tree}/tree`, over: [`${tree}/box`], layer: `image-${name}` },
        facts,
      };
    },
    /** An image with nothing but the names at the top of the root: everything in them is bound into the box. */
    async emptyFor(source: RootSource): Promise<string> {
      const reference = `alcove-root:${source.layer}`;
      return engine.ask("make the image of the root file system", "workspace_start_failed", async (docker) => {
        const known = await docker
          .getImage(reference)
          .inspect()
          .catch(() => null);
        if (known !== null) return known.Id;
        const names = readdirSync(source.root);
        const tar = Bun.spawn(["tar", "-C", source.root, "--no-recursion", "--exclude=*.new", "-c", "--", ...names], {
          stdin: "ignore",
          stdout: "pipe",
          stderr: "ignore",
          env: plainEnvironment,
        });
        const archive = Buffer.from(await new Response(tar.stdout).arrayBuffer());
        const answer = await docker.importImage(Readable.from([archive]), { repo: "alcove-root", tag: source.layer });
        for await (const _ of answer);
        return (await docker.getImage(reference).inspect()).Id;
      });
    },
  };
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
