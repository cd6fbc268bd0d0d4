import type { BoxExecLine } from "@alcove/contract/box/exec";
import type { ExecRequest } from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import { signalProcess } from "../system/marked-processes.ts";
import { exitCodeOf } from "../system/exit-code.ts";
import { createChunker } from "./utf8-chunks.ts";
import { startProgram } from "../system/child-limits.ts";

/** Milliseconds that output may still take after the command has ended: a child that it left behind can hold the pipe open for ever. */
const drainMs = 250;
/** Milliseconds between SIGTERM and SIGKILL for a command whose time is over. */
const graceMs = 1_000;

type Child = Bun.Subprocess<"pipe" | "ignore", "pipe", "pipe">;

/** Starts the command as the leader of a process group. Gives `command_not_found`, `file_forbidden`. */
export function startCommand(
  request: ExecRequest,
  options: { directory: string; env: Readonly<Record<string, string | undefined>> },
): Child {
  try {
    return startProgram(() =>
      Bun.spawn(request.command, {
        cwd: options.directory,
        env: { ...options.env, ...request.env },
        stdio: [request.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
        detached: true,
      }),
    );
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") throw new CodedError("command_not_found", `There is no command "${request.command[0]}"`);
    if (code === "EACCES") throw new CodedError("file_forbidden", `"${request.command[0]}" cannot be executed`);
    throw error;
  }
}

/** The command's output as lines, then its exit. When the signal is aborted or the reader leaves, the command's whole group is killed. */
export async function* streamCommand(
  child: Child,
  request: ExecRequest,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  let timedOut = false;
  let finished = false;
  const kill = () => signalProcess(-child.pid, "SIGKILL");
  const timers: ReturnType<typeof setTimeout>[] = [];
  if (request.timeoutMs !== undefined) {
    const expire = () => {
      timedOut = true;
      signalProcess(-child.pid, "SIGTERM");
      timers.push(setTimeout(kill, graceMs));
    };
    timers.push(setTimeout(expire, request.timeoutMs));
  }
  signal.addEventListener("abort", kill);
  try {
    if (signal.aborted) kill();
    feedInput(child, request);
    const stop = new AbortController();
    void child.exited.then(() => timers.push(setTimeout(() => stop.abort(), drainMs)));
    for await (const line of mergeOutput(child, stop.signal)) yield `${JSON.stringify(line)}\n`;
    await child.exited;
    finished = true;
    // Whatever ignored the end of its time goes now.
    if (timedOut) kill();
    yield `${JSON.stringify({ kind: "exit", exitCode: exitCodeOf(child), timedOut } satisfies BoxExecLine)}\n`;
  } finally {
    if (!finished) kill();
    signal.removeEventListener("abort", kill);
    for (const timer of timers) clearTimeout(timer);
  }
}

function feedInput(child: Child, { stdin, stdinEncoding }: ExecRequest): void {
  if (stdin === undefined || child.stdin === undefined) return;
  void child.stdin.write(stdinEncoding === undefined ? stdin : Buffer.from(stdin, stdinEncoding));
  // A command may end without reading its input.
  void Promise.resolve(child.stdin.end()).catch(() => undefined);
}

/** Lines of both outputs in the order of their arrival; the next bytes are read when a line was taken. */
async function* mergeOutput(child: Child, stop: AbortSignal): AsyncGenerator<BoxExecLine, void> {
  const stopped = new Promise<"stop">((resolve) =>
    stop.addEventListener("abort", () => resolve("stop"), { once: true }),
  );
  const sources = [
    { kind: "stdout" as const, reader: child.stdout.getReader(), chunker: createChunker() },
    { kind: "stderr" as const, reader: child.stderr.getReader(), chunker: createChunker() },
  ];
  const read = async (source: (typeof sources)[number]) => ({ source, result: await source.reader.read() });
  const pending = new Map(sources.map((source) => [source, read(source)]));
  try {
    while (pending.size > 0) {
      const next = await Promise.race([...pending.values(), stopped]);
      if (next === "stop") return;
      const { source, result } = next;
      if (result.done) pending.delete(source);
      else pending.set(source, read(source));
      const chunk = result.done ? source.chunker.end() : source.chunker.push(result.value);
      if (chunk !== null) yield { kind: source.kind, ...chunk };
    }
  } finally {
    for (const { reader } of sources) void reader.cancel();
  }
}
