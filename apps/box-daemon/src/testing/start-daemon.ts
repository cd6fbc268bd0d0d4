import { spawn } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtPart } from "../../../../tools/build/build.ts";
import { formatRawRequest, parseRawAnswer, type RawRequest } from "@alcove/contract/box/raw";

/** The daemon as boxes have it, built when its sources have changed. */
const programs = builtPart("box-daemon");

export interface TestDaemon {
  readonly root: string;
  readonly gatewayPort: number;
  /** Pid of the first process. */
  readonly pid: number;
  /** Pid of the `serve` that runs now. */
  servePid(): number;
  dial(): Socket;
  raw(request: RawRequest): Promise<Socket>;
  /** The path is sent as it is. */
  call(
    method: string,
    path: string,
    options?: { body?: string | Buffer | object; headers?: Record<string, string> },
  ): Promise<Answer>;
  open(
    method: string,
    path: string,
    options?: { body?: string | Buffer | object; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<IncomingMessage>;
  log(): string;
  /** Resolves once `serve` answers, as it does again soon after it was killed. */
  answering(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  /** The body, parsed and believed to have the type. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- a test knows what it asked for
  json: <T = Record<string, unknown>>() => T;
}

/** The first process of a box, as its runtime starts it; a test may name another shell. */
function firstProcess(programs: string, shell?: string): string[] {
  const init = join(programs, "init");
  const own = [join(init, "alcove-init"), "--library-path", join(init, "lib"), join(init, "sh")];
  return [...(shell?.split(" ") ?? own), join(init, "init.sh"), join(programs, "alcove-daemon")];
}

/** Starts the daemon as a box does: by its first process, with the listening socket as descriptor 3, in a workspace folder of its own. */
export async function startDaemon(
  options: { env?: Record<string, string>; wrapper?: string[]; shell?: string } = {},
): Promise<TestDaemon> {
  const folder = mkdtempSync(join(tmpdir(), "alcove-daemon-"));
  const root = join(folder, "workspace");
  for (const name of ["user/home", "user/projects", "system/state"]) mkdirSync(join(root, name), { recursive: true });
  const gatewayPort = await freePort();
  const socketPath = join(folder, "link.sock");
  const listener = createServer().listen(join(folder, "listen.sock"));
  await once(listener, "listening");
  linkSync(join(folder, "listen.sock"), socketPath);
  const [program = "", ...rest] = [...(options.wrapper ?? []), ...firstProcess(await programs, options.shell)];
  const child = spawn(program, rest, {
    stdio: ["ignore", "ignore", "pipe", handleOf(listener)],
    env: {
      PATH: process.env.PATH,
      TMPDIR: folder,
      ALCOVE_ROOT: root,
      ALCOVE_WORKSPACE: "ws_00000000000000000000",
      ALCOVE_EPOCH: "7",
      ALCOVE_GATEWAY_PORT: String(gatewayPort),
      ...options.env,
    },
    detached: true,
  });
  listener.close();
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const pid = child.pid ?? 0;
  const exited = once(child, "exit");

  const dial = () => connect({ path: socketPath, allowHalfOpen: true });
  const open: TestDaemon["open"] = async (method, path, more = {}) => {
    const body =
      more.body === undefined || typeof more.body === "string" || Buffer.isBuffer(more.body)
        ? more.body
        : JSON.stringify(more.body);
    const request = httpRequest({
      socketPath,
      method,
      path,
      headers: { ...more.headers, ...(body !== undefined && { "content-length": Buffer.byteLength(body) }) },
      agent: false,
      ...(more.signal && { signal: more.signal }),
    });
    request.end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return response;
  };
  const daemon: TestDaemon = {
    root,
    gatewayPort,
    pid,
    servePid: () => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]),
    dial,
    async raw(request) {
      const socket = dial();
      socket.write(formatRawRequest(request));
      const line = await readLine(socket);
      const answer = parseRawAnswer(line);
      if (answer?.ok !== true) {
        socket.destroy();
        throw new Error(line);
      }
      return socket;
    },
    open,
    async call(method, path, more) {
      const response = await open(method, path, more);
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const bytes = Buffer.concat(chunks);
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: bytes,
        json: () => JSON.parse(bytes.toString()),
      };
    },
    log: () => log,
    async answering() {
      const answer = await daemon.call("GET", "/v1/health").catch(() => null);
      if (answer?.status !== 200) await daemon.answering();
    },
    async [Symbol.asyncDispose]() {
      // Sessions and tmux outlive the daemon on purpose; all of them have inherited its temporary folder.
      // The first process goes first, or it would start the daemon again.
      for (const left of [pid, ...inheritors(folder)]) kill(left);
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return daemon;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // It may have ended with another one.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function inheritors(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, "latin1").split("\0").includes(`TMPDIR=${folder}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("No port");
  return address.port;
}

/** The bytes up to the next line feed; what follows stays in the socket. */
export function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = "";
    const onReadable = () => {
      for (let byte = socket.read(1) as Buffer | null; byte !== null; byte = socket.read(1) as Buffer | null) {
        if (byte[0] === 0x0a) {
          socket.off("readable", onReadable);
          resolve(line);
          return;
        }
        line += byte.toString("latin1");
      }
    };
    socket.on("readable", onReadable);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(`The connection ended after "${line}"`)));
  });
}

/** Node has no public way to give a listening socket to another program. */
function handleOf(server: ReturnType<typeof createServer>): number {
  return (server as unknown as { _handle: { fd: number } })._handle.fd;
}
