import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { abortable } from "@alcove/base/abortable";
import { CodedError } from "@alcove/contract/errors";
import { hostArch, type AgentDefinition, type Arch } from "./definition.ts";

/** How far an installation is, in percent, and what it does. */
export type OnProgress = (percent: number, text: string) => void;

/** Installs agents below `<directory>/<name>/<version>`, once for all workspaces; several servers may share the directory. */
export interface AgentInstaller {
  isInstalled(agent: AgentDefinition): Promise<boolean>;
  /**
   * Installs the agent unless it is there; calls at the same time share one installation, and each hears its progress. An abort lets go of the
   * installation, which ends when nobody waits for it any more. Gives `agent_install_failed`.
   */
  install(agent: AgentDefinition, onProgress: OnProgress, signal: AbortSignal): Promise<void>;
}

export interface InstallerOptions {
  /** The folder that boxes see as `/opt/alcove/agents`. */
  readonly directory: string;
  /** The program `node` that runs npm. */
  readonly node: string;
  /** Path of `npm-cli.js`; null when this server has no npm. */
  readonly npmCli: string | null;
  /** The server's own when left out. */
  readonly arch?: Arch;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

interface Installation {
  readonly done: Promise<void>;
  readonly stop: AbortController;
  readonly listeners: Set<OnProgress>;
  last: Parameters<OnProgress>;
}

const draftPrefix = ".draft-";
/** A draft is touched every `draftTouchMs` while somebody works on it; untouched for `draftStaleMs` it is that of a server that was killed. */
const draftTouchMs = 3_000;
const draftStaleMs = 20_000;
/** Milliseconds after which an installation is given up. */
const deadlineMs = 15 * 60_000;

export function createAgentInstaller(options: InstallerOptions): AgentInstaller {
  const arch = options.arch ?? hostArch;
  const running = new Map<string, Installation>();
  const folderOf = (agent: AgentDefinition) => join(options.directory, agent.name, agent.version);
  const isInstalled = (agent: AgentDefinition) => exists(join(folderOf(agent), agent.program(arch)));

  const begin = (agent: AgentDefinition): Installation => {
    const stop = new AbortController();
    const listeners: Installation["listeners"] = new Set();
    const report: OnProgress = (percent, text) => {
      installation.last = [percent, text];
      for (const listener of listeners) listener(percent, text);
    };
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(deadlineMs)]);
    const done = Promise.resolve()
      .then(() => installInto({ ...options, folder: folderOf(agent), agent, arch, report, signal }))
      .finally(() => running.delete(agent.name));
    // Whoever still waits hears of a failure; when nobody does any more, nobody needs to.
    done.catch(() => undefined);
    const installation: Installation = { done, stop, listeners, last: [0, `Asking the registry for ${agent.title}`] };
    return installation;
  };

  return {
    isInstalled,
    async install(agent, onProgress, signal) {
      signal.throwIfAborted();
      if (await isInstalled(agent)) return;
      const current = running.get(agent.name);
      if (current?.stop.signal.aborted === true) await current.done.catch(() => undefined);
      const installation = running.get(agent.name) ?? begin(agent);
      running.set(agent.name, installation);
      const listener: OnProgress = (percent, text) => onProgress(percent, text);
      installation.listeners.add(listener);
      listener(...installation.last);
      try {
        await abortable(installation.done, signal);
      } finally {
        installation.listeners.delete(listener);
        if (installation.listeners.size === 0) installation.stop.abort();
      }
    },
  };
}

interface Work extends InstallerOptions {
  readonly folder: string;
  readonly agent: AgentDefinition;
  readonly arch: Arch;
  readonly report: OnProgress;
  readonly signal: AbortSignal;
}

/** Everything happens in a draft folder that is renamed at the end: an installation that is killed half-way leaves only a draft. */
async function installInto(work: Work): Promise<void> {
  const { folder, agent, arch, report } = work;
  const parent = join(folder, "..");
  let draft: string | null = null;
  let touching: NodeJS.Timeout | undefined;
  try {
    await mkdir(parent, { recursive: true });
    await removeStaleDrafts(parent);
    const made = await mkdtemp(join(parent, draftPrefix));
    draft = made;
    touching = setInterval(() => void touch(made), draftTouchMs);
    // A temporary folder is for its owner only; agents are read by the users of all boxes.
    await chmod(draft, 0o755);
    await writeFile(join(draft, "package.json"), '{ "private": true }\n');
    await runNpm(draft, work);
    if (!(await exists(join(draft, agent.program(arch))))) {
      throw new CodedError(
        "agent_install_failed",
        `Cannot install ${agent.title}: its package has no program for this processor`,
      );
    }
    report(98, "Putting it in place");
    if (await putInPlace(draft, folder, () => exists(join(folder, agent.program(arch))))) draft = null;
    report(100, `${agent.title} is installed`);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodedError("agent_install_failed", `Cannot install ${agent.title}: ${reason}`, { cause: error });
  } finally {
    clearInterval(touching);
    if (draft !== null) await rm(draft, { recursive: true, force: true });
    await removeStaleDrafts(parent);
  }
}

/**
 * Whether the draft is now the folder. It is not when another server that shares the directory was faster: its boxes may use what it put there, so
 * only a folder that is not `whole` gives way.
 */
async function putInPlace(draft: string, folder: string, whole: () => Promise<boolean>): Promise<boolean> {
  const taken = await rename(draft, folder).then(
    () => false,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOTEMPTY" || error.code === "EEXIST") return true;
      throw error;
    },
  );
  if (!taken) return true;
  if (await whole()) return false;
  await rm(folder, { recursive: true, force: true });
  await rename(draft, folder);
  return true;
}

async function runNpm(draft: string, { agent, arch, report, signal, ...options }: Work): Promise<void> {
  const { npmCli } = options;
  if (npmCli === null)
    throw new CodedError("agent_install_failed", `Cannot install ${agent.title}: this server has no npm`);
  const flags = [
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--no-package-lock",
    "--loglevel=http",
    `--cache=${join(draft, ".npm")}`,
  ];
  const child = spawn(
    options.node,
    [npmCli, "install", ...flags, `--cpu=${arch}`, "--os=linux", ...agent.packages(arch)],
    {
      cwd: draft,
      env: cleanEnvironment(options.env ?? process.env, draft),
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    },
  );
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  };
  signal.addEventListener("abort", kill);
  try {
    const exited = once(child, "exit", { signal });
    let fetched = 0;
    let failure = "";
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text: string) => {
      fetched += text.split("http fetch").length - 1;
      failure = (failure + text).slice(-8_000);
      // The number of packages is not known in advance; the last, largest ones take most of the time.
      report(Math.min(95, Math.round(95 * (1 - Math.exp(-fetched / 60)))), `Downloading ${agent.title}`);
    });
    await exited;
    if (child.exitCode === 0) {
      await rm(join(draft, ".npm"), { recursive: true, force: true });
      return;
    }
    const reasons = failure
      .split("\n")
      .filter((line) => /^npm (?:ERR!|error)/.test(line))
      .map((line) => line.replace(/^npm (?:ERR!|error)\s*/, ""));
    const reason = reasons
      .filter((line) => line !== "" && !line.startsWith("A complete log"))
      .slice(0, 3)
      .join("; ");
    throw new CodedError(
      "agent_install_failed",
      `Cannot install ${agent.title}: ${reason || `npm ended with code ${child.exitCode}`}`,
    );
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
  }
}

/** npm gets no secret of the server: only what it needs to find programs and the registry. */
function cleanEnvironment(env: Readonly<Record<string, string | undefined>>, home: string): Record<string, string> {
  const allowed =
    /^(?:PATH|LANG|(?:https?|all|no)_proxy|npm_config_(?:registry|cafile|ca|proxy|https_proxy|noproxy|strict_ssl|userconfig)|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR))$/i;
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => allowed.test(entry[0]) && entry[1] !== undefined,
  );
  return { HOME: home, ...Object.fromEntries(kept) };
}

/** Drafts of servers that were killed. What cannot be removed yet, as when its npm still writes there, is left for the next time. */
async function removeStaleDrafts(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const drafts = names.filter((name) => name.startsWith(draftPrefix)).map((name) => join(parent, name));
  await Promise.allSettled(
    drafts.map(async (draft) => {
      const { mtimeMs } = await stat(draft);
      if (Date.now() - mtimeMs > draftStaleMs) await rm(draft, { recursive: true, force: true });
    }),
  );
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
