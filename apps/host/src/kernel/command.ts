import { CodedError } from "@alcove/contract/errors";

export type CommandOptions = {
  /** Given to its standard input, then closed. */
  input?: string;
  env?: Record<string, string>;
  signal?: AbortSignal;
};
export type CommandResult = { exitCode: number; stdout: string; stderr: string };

const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The environment of everything that the host process starts: its own may hold secrets of the user who started it. */
export const plainEnvironment = { PATH: searchPath, LC_ALL: "C.UTF-8", HOME: "/" };

/** Where a program is, as the commands started here find it. */
export function findProgram(name: string): string | null {
  return Bun.which(name, { PATH: searchPath });
}

/** Runs a program to its end, without a shell. */
export async function runCommand(command: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = Bun.spawn(command, {
    stdin: options.input === undefined ? "ignore" : new Blob([options.input]),
    stdout: "pipe",
    stderr: "pipe",
    cwd: "/",
    env: { ...plainEnvironment, ...options.env },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

/** Runs a program and gives its output; code `internal` with the program's own words when it fails. */
export async function mustRun(command: string[], options: CommandOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(command, options);
  if (exitCode === 0) return stdout;
  options.signal?.throwIfAborted();
  const words = stderr.trim().slice(-1_000);
  throw new CodedError(
    "internal",
    `Cannot run ${command[0]}: it ended with ${exitCode}${words === "" ? "" : `: ${words}`}`,
  );
}
