import type { TemplateStatus } from "@alcove/contract/host";
import type { WorkspaceId } from "@alcove/contract/ids";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { diskIdOffset } from "../boxes/id-range.ts";
import { findProgram, mustRun, plainEnvironment } from "../kernel/command.ts";
import { findByEnvironment, signalProcess } from "../kernel/processes.ts";
import type { Site } from "../site.ts";
import { volumePaths } from "../volumes/layout.ts";
import type { RootSource } from "./root-source.ts";
import { buildMark, openSharedWorkshop, openWorkshop } from "./workshop.ts";
import { addBoxFiles, makeSkeleton, skeletonVersion } from "./skeleton.ts";

const packages = [
  "bash-completion",
  "bzip2",
  "ca-certificates",
  "curl",
  "file",
  "git",
  "iproute2",
  "iputils-ping",
  "jq",
  "less",
  "locales",
  "make",
  "man-db",
  "nano",
  "openssh-client",
  "patch",
  "procps",
  "python3",
  "python3-venv",
  "ripgrep",
  "rsync",
  "sqlite3",
  "sudo",
  "tmux",
  "tree",
  "unzip",
  "vim-tiny",
  "wget",
  "xz-utils",
  "zip",
];
const recipeVersion = 1;
const retryPausesMs = [10_000, 60_000, 300_000, 1_800_000];

export interface Template {
  status(): TemplateStatus;
  /** What the workspace's root lies over: what it lay over before as long as that has anything of it, else the template, else the host. */
  rootFor(id: WorkspaceId): Promise<RootSource>;
  /** Makes what boxes over the host's programs need, so that the first of them does not wait for it. */
  prepare(): Promise<void>;
  /** Builds the template in the background where it is missing; resolves when it is there or the signal aborts. */
  build(signal: AbortSignal): Promise<void>;
}

/** The root file systems that boxes are made over, below the volume store's folder. */
export function createTemplate({ site, store }: { site: Site; store: string }): Template {
  const folder = `${store}/templates`;
  const version = createHash("sha256")
    .update(JSON.stringify([recipeVersion, packages]))
    .digest("hex")
    .slice(0, 8);
  const tree = `${folder}/${version}`;
  const skeleton = `${site.data}/skeleton/${skeletonVersion}`;
  let status: TemplateStatus = existsSync(tree)
    ? { state: "ready", detail: "Workspaces have a root file system of their own" }
    : { state: "missing", detail: "Workspaces run over the host's programs" };
  let skeletonMade: Promise<void> | undefined;

  const hostRoot: RootSource = { kind: "host", root: skeleton, layer: "host" };
  const templateRoot = (name: string): RootSource => ({
    kind: "template",
    root: `${folder}/${name}`,
    layer: `template-${name}`,
  });

  const makeHostRoot = async (): Promise<void> => {
    if (existsSync(skeleton)) return;
    await mkdir(`${site.data}/skeleton`, { recursive: true, mode: 0o755 });
    skeletonMade ??= makeSkeleton(skeleton, diskIdOffset(site)).finally(() => (skeletonMade = undefined));
    await skeletonMade;
  };

  const stopBuild = (): void => {
    for (const mark of findByEnvironment(buildMark, site.instance)) signalProcess(mark, "SIGKILL");
  };

  const buildOnce = async (signal: AbortSignal): Promise<void> => {
    // Left by a crash: it would write into the same tree.
    stopBuild();
    const fresh = `${tree}.new`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const codename = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(await readFile("/etc/os-release", "utf8"))?.[1];
    if (codename === undefined) throw new Error("the host's distribution is neither Debian nor Ubuntu");
    const include = `--include=${packages.join(",")}`;
    const recipe = ["mmdebstrap", "--mode=root", "--variant=apt", "--format=directory", include, codename];
    await using workshop = site.privileged ? openWorkshop(fresh) : await openSharedWorkshop(site, folder, fresh);
    const child = Bun.spawn([...workshop.enter, ...recipe, workshop.tree, ...(await hostSources())], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      cwd: "/",
      env: { ...plainEnvironment, ...workshop.env, [buildMark]: site.instance },
    });
    signal.addEventListener("abort", stopBuild, { once: true });
    let last = "";
    let carry = "";
    const decoder = new TextDecoder();
    for await (const part of child.stderr) {
      const lines = (carry + decoder.decode(part, { stream: true })).split(/[\r\n]+/);
      carry = lines.pop() ?? "";
      for (const line of lines.filter((text) => text.trim() !== "")) {
        last = line.trim();
        if (last.startsWith("I: "))
          status = { state: "building", detail: `Building the root file system of workspaces: ${last.slice(3)}` };
      }
    }
    const exitCode = await child.exited;
    signal.removeEventListener("abort", stopBuild);
    if (exitCode !== 0) throw new Error(last);
    await addBoxFiles(fresh);
    if (!site.privileged) await mustRun(["find", fresh, "-uid", "0", "-exec", "chown", "-h", "1:1", "{}", "+"]);
    await rename(fresh, tree);
  };

  return {
    status: () => status,
    async rootFor(id) {
      const layers = await readdir(volumePaths(store, id).rootLayer).catch(() => []);
      const own = layers.filter((name) => name.startsWith("template-")).map((name) => name.slice("template-".length));
      const kept = own.find((name) => existsSync(`${folder}/${name}`));
      if (kept !== undefined) return templateRoot(kept);
      const installed = await readdir(`${volumePaths(store, id).rootLayer}/host/usr/upper`).catch(() => []);
      if (existsSync(tree) && installed.length === 0) return templateRoot(version);
      await makeHostRoot();
      return hostRoot;
    },
    prepare: makeHostRoot,
    async build(signal) {
      if (existsSync(tree)) return;
      if (findProgram("mmdebstrap") === null) {
        status = { state: "missing", detail: "mmdebstrap is not installed: workspaces run over the host's programs" };
        return;
      }
      for (let attempt = 0; !signal.aborted; attempt++) {
        status = { state: "building", detail: "Building the root file system of workspaces" };
        try {
          await buildOnce(signal);
          status = { state: "ready", detail: "Workspaces have a root file system of their own" };
          return;
        } catch (error) {
          if (signal.aborted) return;
          status = {
            state: "failed",
            detail: `The root file system of workspaces was not built, it is tried again later: ${error instanceof Error ? error.message : String(error)}`,
          };
        }
        await sleep(retryPausesMs[Math.min(attempt, retryPausesMs.length - 1)], undefined, { signal }).catch(
          () => undefined,
        );
      }
    },
  };
}

/** The files with this distribution's own package sources; sources of others need keys that a new tree does not have. */
async function hostSources(): Promise<string[]> {
  const folder = "/etc/apt/sources.list.d";
  const names = (await readdir(folder).catch(() => []))
    .filter((name) => /^(?:debian|ubuntu)\.(?:sources|list)$/.test(name))
    .map((name) => `${folder}/${name}`);
  const old = await readFile("/etc/apt/sources.list", "utf8").catch(() => "");
  return /^deb /m.test(old) ? [...names, "/etc/apt/sources.list"] : names;
}
