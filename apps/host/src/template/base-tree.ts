import { CodedError } from "@alcove/contract/errors";
import type { TemplateStatus } from "@alcove/contract/host";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, symlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { diskIdOffset } from "../boxes/id-range.ts";
import { findProgram, mustRun, plainEnvironment } from "../kernel/command.ts";
import { findByEnvironment, signalProcess } from "../kernel/processes.ts";
import { boxUser, type Site } from "../site.ts";
import type { Trees } from "../volumes/trees.ts";
import { addBoxFiles } from "./box-files.ts";
import { proxyEnvironment } from "./proxy-environment.ts";
import { buildMark, openSharedWorkshop, openWorkshop } from "./workshop.ts";

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
  "python3-pip",
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
const recipeVersion = 4;
const retryPausesMs = [10_000, 60_000, 300_000, 1_800_000];

/** The usual root file system of workspaces, of this distribution's own packages; all templates of packages are made over it. */
export interface BaseTree {
  /** Its name below the templates' folder. */
  readonly version: string;
  readonly path: string;
  isThere(): boolean;
  status(): TemplateStatus;
  /** Builds it in the background where it is missing, again and again; resolves when it is there or the signal aborts. */
  build(signal: AbortSignal): Promise<void>;
  /** Resolves when it is there. Code: `template_build_failed`. */
  require(signal: AbortSignal): Promise<void>;
  /** Why it is not there and cannot be built here, with the command that mends it; null otherwise. */
  whyImpossible(): string | null;
}

export function createBaseTree({ site, trees, folder }: { site: Site; trees: Trees; folder: string }): BaseTree {
  const version = createHash("sha256")
    .update(JSON.stringify([recipeVersion, packages]))
    .digest("hex")
    .slice(0, 8);
  const path = `${folder}/${version}`;
  const ready: TemplateStatus = { state: "ready", detail: "Workspaces have a root file system of their own" };
  let status: TemplateStatus = existsSync(path)
    ? ready
    : { state: "missing", detail: "Workspaces run over the host's programs" };
  let building: Promise<void> | undefined;

  const stopBuild = (): void => {
    for (const mark of findByEnvironment(buildMark, site.instance)) signalProcess(mark, "SIGKILL");
  };

  const buildOnce = async (signal: AbortSignal): Promise<void> => {
    status = { state: "building", detail: "Building the root file system of workspaces" };
    // Left by a crash: it would write into the same tree.
    stopBuild();
    const fresh = `${path}.new`;
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await trees.remove(fresh);
    await trees.create(fresh);
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
      env: { ...plainEnvironment, ...proxyEnvironment(), ...workshop.env, [buildMark]: site.instance },
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
    // Where login shells and sudo look too; a template's own, or a workspace's, takes their place.
    for (const program of ["node", "npm", "npx"])
      await symlink(`/opt/alcove/node/bin/${program}`, `${fresh}/usr/local/bin/${program}`);
    const user = String(diskIdOffset(site) + boxUser);
    // The user installs there without sudo, as with `npm i -g`.
    await mustRun(["find", `${fresh}/usr/local`, "-type", "d", "-exec", "chown", `${user}:${user}`, "{}", "+"]);
    if (!site.privileged) await mustRun(["find", fresh, "-uid", "0", "-exec", "chown", "-h", "1:1", "{}", "+"]);
    await rename(fresh, path);
    status = ready;
  };

  /** One build at a time, however many ask for it. */
  const sharedBuild = (signal: AbortSignal): Promise<void> => {
    building ??= buildOnce(signal)
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        const detail = `The root file system of workspaces was not built, it is tried again later: ${reason}`;
        status = { state: "failed", detail };
        throw new CodedError("template_build_failed", detail, { cause: error });
      })
      .finally(() => (building = undefined));
    return building;
  };

  const whyImpossible = (): string | null =>
    existsSync(path) || findProgram("mmdebstrap") !== null
      ? null
      : "mmdebstrap is not installed on the server: run `apt-get install mmdebstrap` there";

  return {
    version,
    path,
    isThere: () => existsSync(path),
    status: () => status,
    whyImpossible,
    async build(signal) {
      if (existsSync(path)) return;
      if (findProgram("mmdebstrap") === null) {
        status = { state: "missing", detail: "mmdebstrap is not installed: workspaces run over the host's programs" };
        return;
      }
      for (let attempt = 0; !signal.aborted; attempt++) {
        try {
          await sharedBuild(signal);
          return;
        } catch (error) {
          if (signal.aborted) return;
          if (!(error instanceof CodedError)) throw error;
        }
        const pause = retryPausesMs[Math.min(attempt, retryPausesMs.length - 1)];
        await sleep(pause, undefined, { signal }).catch(() => undefined);
        if (existsSync(path)) return;
      }
    },
    async require(signal) {
      if (existsSync(path)) return;
      await sharedBuild(signal);
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
