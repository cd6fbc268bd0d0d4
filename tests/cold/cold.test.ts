import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const project = new URL("../..", import.meta.url).pathname;
const firstStartMs = 600_000;

let base: string;
let port: number;
let running: Start | null = null;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "alcove-cold-"));
  await chmod(base, 0o755);
  await mkdir(join(base, "home"));
  await run("git", ["clone", "--quiet", "--no-local", project, join(base, "clone")]);
  port = await freePort();
});

afterAll(async () => {
  await running?.stop();
  await rm(base, { recursive: true, force: true });
});

type Start = { output(): string; stop(): Promise<number | null>; kill(): Promise<number | null> };

/** `npm start` as a new user types it, with nothing of this machine's user around it. */
function start(settings: Record<string, string> = {}): Start & { ready: Promise<string> } {
  const env = {
    PATH: process.env["PATH"]
      ?.split(":")
      .filter((folder) => !folder.includes("node_modules"))
      .join(":"),
    HOME: join(base, "home"),
    ALCOVE_DATA: join(base, "data"),
    ALCOVE_PORT: String(port),
    NODE_EXTRA_CA_CERTS: process.env["NODE_EXTRA_CA_CERTS"],
    HTTPS_PROXY: process.env["HTTPS_PROXY"],
    ...settings,
  };
  const child = spawn("npm", ["start"], {
    cwd: join(base, "clone"),
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const ready = Promise.withResolvers<string>();
  const onText = (chunk: Buffer) => {
    text += String(chunk);
    const link = /Alcove is ready: (\S+)/.exec(text)?.[1];
    if (link !== undefined) ready.resolve(link);
  };
  child.stdout.on("data", onText);
  child.stderr.on("data", onText);
  child.once("close", () => ready.reject(new Error(`npm start ended: ${text}`)));
  const started = {
    output: () => text,
    stop: () => end(child, "SIGINT"),
    kill: () => end(child, "SIGKILL"),
    ready: ready.promise,
  };
  running = started;
  return started;
}

/** Ctrl-C in a terminal reaches the whole foreground group. */
async function end(child: ChildProcess, signal: "SIGINT" | "SIGKILL"): Promise<number | null> {
  running = null;
  if (child.exitCode === null && child.pid !== undefined) {
    const closed = once(child, "close");
    process.kill(-child.pid, signal);
    await closed;
  }
  return child.exitCode;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

const health = () => fetch(`http://127.0.0.1:${port}/healthz`).then((response) => response.status);

/** Command lines of processes that have the data directory in them. */
async function leftovers(): Promise<string[]> {
  const { stdout } = await run("ps", ["-eo", "args", "--no-headers"]);
  return stdout.split("\n").filter((line) => line.includes(join(base, "data")));
}

test(
  "a clone in an empty folder serves after one command, and everything ends with Ctrl-C",
  { timeout: firstStartMs },
  async () => {
    const first = start();
    const link = await first.ready;
    expect(await health()).toBe(200);
    expect(link).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/sign-in\\?token=`));
    const page = await fetch(`http://127.0.0.1:${port}/`);
    expect(await page.text()).toContain("<title>");
    // Boxes see this folder and nothing beside it.
    const opt = await realpath(join(base, "data", "opt"));
    expect(await realpath(join(opt, "node", "bin", "npm"))).toMatch(new RegExp(`^${opt}/node/lib/npm-`));
    await first.stop();
    await expect(health()).rejects.toThrow();
    expect(await leftovers()).toEqual([]);
    expect(await readFile("/proc/mounts", "utf8")).not.toContain(base);
  },
);

test("a second start installs and builds nothing, and knows what was there", async () => {
  const second = start();
  await second.ready;
  expect(await health()).toBe(200);
  expect(second.output()).not.toMatch(/npm packages|Debian packages/);
  const other = start();
  await expect(other.ready).rejects.toThrow(new RegExp(`runs already at http://127\\.0\\.0\\.1:${port}`));
  await second.stop();
  expect(await leftovers()).toEqual([]);
});

test("what a start that was killed has left running is ended by the next, which serves in its place", async () => {
  const killed = start();
  await killed.ready;
  await killed.kill();
  expect(await health()).toBe(200);
  const next = start();
  await next.ready;
  expect(await health()).toBe(200);
  const servers = (await leftovers()).filter((line) => /\/(?:host|control-plane)\/main\.mjs/.test(line));
  expect(servers).toHaveLength(2);
  await next.stop();
  expect(await leftovers()).toEqual([]);
});

test("a data directory that cannot be made is told with its path and what to do", async () => {
  const data = join(base, "clone", "package.json", "data");
  const refused = start({ ALCOVE_DATA: data });
  await expect(refused.ready).rejects.toThrow(/data_not_writable/);
  expect(refused.output()).toContain(`Cannot use the data directory ${data}`);
  expect(refused.output()).toContain("ALCOVE_DATA");
});

test.runIf(process.getuid?.() === 0)(
  "a data directory that the server's user cannot reach is told with the folder in the way",
  async () => {
    const shut = join(base, "shut");
    await mkdir(shut, { mode: 0o700 });
    const refused = start({ ALCOVE_DATA: join(shut, "data") });
    await expect(refused.ready).rejects.toThrow(/data_not_writable/);
    expect(refused.output()).toContain(`only its owner may enter ${shut}`);
    expect(refused.output()).toContain(`chmod o+x ${shut}`);
  },
);

test.runIf(process.getuid?.() === 0)("a data directory of another user is told and left as it is", async () => {
  const data = join(base, "others");
  await mkdir(join(data, "versions"), { recursive: true });
  await chown(join(data, "versions"), 4_711, 4_711);
  const refused = start({ ALCOVE_DATA: data });
  await expect(refused.ready).rejects.toThrow(/data_not_writable/);
  expect(refused.output()).toContain("belongs to the user with the id 4711");
  expect(await readdir(data)).toEqual(["versions"]);
});

test("data of a newer PostgreSQL is told, and left as it is", async () => {
  const file = join(base, "data", "postgres", "cluster", "PG_VERSION");
  const version = await readFile(file, "utf8");
  await writeFile(file, "99\n");
  const refused = start();
  await expect(refused.ready).rejects.toThrow(/database_newer/);
  expect(await readFile(file, "utf8")).toBe("99\n");
  expect(await leftovers()).toEqual([]);
  await writeFile(file, version);
  const mended = start();
  await mended.ready;
  await mended.stop();
});
