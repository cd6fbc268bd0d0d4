import { spawn } from "node:child_process";

/** The user a PostgreSQL program runs as; needed when this process is root, which PostgreSQL refuses. */
export type Owner = { uid: number; gid: number };

/** Runs a program to its end and gives its exit code and everything it wrote. An abort kills its whole process group. */
export async function runCommand(
  file: string,
  args: string[],
  { owner, signal }: { owner: Owner | undefined; signal: AbortSignal | undefined },
): Promise<{ exitCode: number; output: string }> {
  signal?.throwIfAborted();
  const child = spawn(file, args, {
    ...owner,
    detached: true,
    cwd: "/",
    env: programEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const kill = () => {
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
  };
  signal?.addEventListener("abort", kill, { once: true });
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once("error", reject).once("close", (code) => resolve(code ?? -1));
    });
    signal?.throwIfAborted();
    return { exitCode, output };
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}

/** What PostgreSQL's programs get to see: no secrets of ours, no settings of another PostgreSQL. */
export function programEnvironment(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
