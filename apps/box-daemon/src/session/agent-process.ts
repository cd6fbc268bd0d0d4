import { dirname, join, resolve, sep } from "node:path";
import { mkdir, writeFile } from "node:fs/promises";
import type { AgentLaunch } from "@alcove/contract/box/run";
import { CodedError } from "@alcove/contract/errors";
import { signalProcess } from "../system/marked-processes.ts";
import { startProgram } from "../system/child-limits.ts";

export interface Exit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A running agent, leader of a process group of its own. */
export interface AgentProcess {
  readonly stdin: Bun.FileSink;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly exited: Promise<Exit>;
  /** Ends it: end of its input, SIGTERM and SIGKILL to the group, each after a grace. */
  stop(): Promise<void>;
  /** SIGKILL to the whole group, now. */
  kill(): void;
}

const inputGraceMs = 700;
const terminateGraceMs = 2_000;

/** Writes the agent's settings below its own folder. Gives `path_outside` for a path that leaves it. */
export async function writeConfig(launch: AgentLaunch, root: string): Promise<void> {
  const folder = inside(root, launch.configDirectory);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const file of launch.configFiles ?? []) {
    const path = inside(folder, file.path);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, file.content, { mode: 0o600 });
  }
}

function inside(folder: string, path: string): string {
  const full = resolve(folder, path);
  if (full !== folder && !full.startsWith(folder + sep))
    throw new CodedError("path_outside", `${path} leaves ${folder}`);
  return full;
}

/** Starts the agent. Gives `agent_failed` when its program cannot be started. */
export function startAgent(options: {
  launch: AgentLaunch;
  directory: string;
  env: Readonly<Record<string, string | undefined>>;
}): AgentProcess {
  let child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  try {
    child = startProgram(() =>
      Bun.spawn(options.launch.command, {
        cwd: options.directory,
        env: { ...options.env, ...options.launch.env },
        stdio: ["pipe", "pipe", "pipe"],
        detached: true,
      }),
    );
  } catch (error) {
    throw new CodedError(
      "agent_failed",
      `Cannot start ${options.launch.name}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const exited = child.exited.then(() => ({
    exitCode: child.signalCode === null ? child.exitCode : null,
    signal: child.signalCode === null ? null : String(child.signalCode),
  }));
  const endsWithin = (ms: number) => Promise.race([exited.then(() => true), Bun.sleep(ms).then(() => false)]);
  const signalGroup = (signal: NodeJS.Signals) => signalProcess(-child.pid, signal);
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    async stop() {
      await Promise.resolve(child.stdin.end()).catch(() => undefined);
      if (!(await endsWithin(inputGraceMs))) {
        signalGroup("SIGTERM");
        await endsWithin(terminateGraceMs);
      }
      // What the agent left in its own group goes with it; a server that it started on purpose has a group of its own.
      signalGroup("SIGKILL");
      await exited;
    },
    kill: () => signalGroup("SIGKILL"),
  };
}

/** The state folder's file with what a session needs to go on. */
export function sessionFile(state: string, session: string): string {
  return join(state, "sessions", `${session}.json`);
}
