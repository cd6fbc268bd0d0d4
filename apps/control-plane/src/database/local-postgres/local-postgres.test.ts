import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { installPostgresBinaries, locatePostgresPackage } from "./binaries.ts";
import { type LocalPostgresOptions, startLocalPostgres, stopLocalPostgres } from "./local-postgres.ts";
import { isRunning } from "./postmaster.ts";

const nobody = { uid: 65534, gid: 65534 };
const owner = process.getuid?.() === 0 ? nobody : undefined;
let base: string;
let binaries: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "alcove-pg-test-"));
  await chmod(base, 0o755);
  const { native } = await locatePostgresPackage();
  binaries = join(base, "binaries");
  await installPostgresBinaries(native, binaries);
});

afterAll(() => rm(base, { recursive: true, force: true }));

let counter = 0;
async function place(
  folder = `d${counter++}`,
): Promise<LocalPostgresOptions & { dataDirectory: string; runDirectory: string }> {
  const home = join(base, folder);
  await mkdir(home, { recursive: true });
  if (owner) await chown(home, owner.uid, owner.gid);
  return { dataDirectory: join(home, "postgres"), runDirectory: join(home, "run"), binaries, owner };
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test("a new data directory becomes a database that answers on a private socket and on no port", async () => {
  const options = await place();
  await using server = await startLocalPostgres(options);
  await server.createDatabase("alcove");
  await server.createDatabase("alcove");
  expect(server.adopted).toBe(false);
  expect(await query(server.url("alcove"), "show listen_addresses")).toEqual([{ listen_addresses: "" }]);
  expect((await stat(join(options.runDirectory, "postgres"))).mode & 0o777).toBe(0o700);
  expect((await stat(join(options.dataDirectory, "cluster", "alcove.secret"))).mode & 0o777).toBe(0o600);
  await expect(query(server.url("alcove").replace(/:[^:@]+@/, ":wrong@"), "select 1")).rejects.toThrow(/password/);
});

test("what was committed is there after a stop and a second start", async () => {
  const options = await place();
  {
    await using server = await startLocalPostgres(options);
    await query(server.url("postgres"), "create table kept (n int)");
  }
  await using server = await startLocalPostgres(options);
  expect(await query(server.url("postgres"), "select count(*)::int as n from kept")).toEqual([{ n: 0 }]);
});

test("stop leaves no process behind", async () => {
  const options = await place();
  const server = await startLocalPostgres(options);
  const { pid } = server;
  await server.stop();
  expect(await isRunning(pid)).toBe(false);
});

test("a server that outlived a killed parent is adopted and then stopped", async () => {
  const options = await place();
  const parent = startElsewhere(options);
  const [line] = await once(parent.stdout, "data");
  parent.kill("SIGKILL");
  await once(parent, "close");
  await using server = await startLocalPostgres(options);
  expect(server.adopted).toBe(true);
  expect(server.pid).toBe(Number(line));
  expect(await query(server.url("postgres"), "select 1 as one")).toEqual([{ one: 1 }]);
});

test("a killed server comes back by itself with every committed row", async () => {
  const options = await place();
  await using server = await startLocalPostgres(options);
  await query(server.url("postgres"), "create table kept as select generate_series(1, 1000) as n");
  const before = server.pid;
  process.kill(before, "SIGKILL");
  await vi.waitUntil(() => server.pid !== before, { timeout: 20_000 });
  expect(await query(server.url("postgres"), "select count(*)::int as n from kept")).toEqual([{ n: 1000 }]);
});

test("a cluster whose creation was killed half-way is made anew", async () => {
  const options = await place();
  const leftover = join(options.dataDirectory, "cluster-draft-4194304");
  await mkdir(join(leftover, "cluster"), { recursive: true });
  await writeFile(join(leftover, "cluster", "PG_VERSION"), "18\n");
  await using server = await startLocalPostgres(options);
  expect(await query(server.url("postgres"), "select 1 as one")).toEqual([{ one: 1 }]);
  expect((await readdir(options.dataDirectory)).toSorted()).toEqual(["cluster", "server.log"]);
});

test("an abort during the creation leaves nothing that the next start would take for a database", async () => {
  const options = await place();
  const starting = startLocalPostgres({ ...options, signal: AbortSignal.timeout(150) });
  await expect(starting).rejects.toThrow();
  await using server = await startLocalPostgres(options);
  expect(await query(server.url("postgres"), "select 1 as one")).toEqual([{ one: 1 }]);
});

test("two starts at once share one server", async () => {
  const options = await place();
  await (await startLocalPostgres(options)).stop();
  const servers = await Promise.all([startLocalPostgres(options), startLocalPostgres(options)]);
  expect(servers[0].pid).toBe(servers[1].pid);
  await Promise.all(servers.map((server) => server.stop()));
});

test("a lock file whose process id belongs to another program does not keep the server from starting", async () => {
  const options = await place();
  await (await startLocalPostgres(options)).stop();
  await using stranger = disposable(spawn("sleep", ["60"], { ...owner, stdio: "ignore" }));
  const cluster = join(options.dataDirectory, "cluster");
  const lock = [stranger.pid, cluster, 0, 5432, options.runDirectory, "", "0 0", "ready   "].join("\n");
  const file = join(cluster, "postmaster.pid");
  await writeFile(file, `${lock}\n`);
  if (owner) await chown(file, owner.uid, owner.gid);
  await using server = await startLocalPostgres(options);
  expect(server.adopted).toBe(false);
});

test("data of a newer PostgreSQL is refused and left alone", async () => {
  const options = await place();
  const version = join(options.dataDirectory, "cluster", "PG_VERSION");
  await mkdir(dirname(version), { recursive: true });
  await writeFile(version, "99\n");
  await expect(startLocalPostgres(options)).rejects.toMatchObject({ code: "database_newer" });
  expect(await readFile(version, "utf8")).toBe("99\n");
});

test("a place that cannot be written is said to be so", async () => {
  const options = await place();
  const file = join(options.dataDirectory, "..", "file");
  await writeFile(file, "");
  await expect(startLocalPostgres({ ...options, dataDirectory: join(file, "postgres") })).rejects.toMatchObject({
    code: "data_not_writable",
  });
});

test("a path too long for a socket is replaced by a short one", async () => {
  const options = await place(`long-${"x".repeat(90)}`);
  await using server = await startLocalPostgres(options);
  expect(await query(server.url("postgres"), "select 1 as one")).toEqual([{ one: 1 }]);
  const socketDirectory = new URL(server.url("postgres")).searchParams.get("host");
  await server.stop();
  await rm(socketDirectory ?? "", { recursive: true });
});

test("the server stays within 64 MB of its own memory", async () => {
  const options = await place();
  await using server = await startLocalPostgres(options);
  await query(server.url("postgres"), "select 1");
  const children = (await readFile(`/proc/${server.pid}/task/${server.pid}/children`, "utf8")).trim().split(" ");
  let pss = 0;
  for (const pid of [server.pid, ...children]) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    pss += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  expect(pss).toBeLessThan(64 * 1024);
});

test("two processes that make the same database at once end up with one", async () => {
  const options = await place();
  const others = [startElsewhere(options), startElsewhere(options)];
  const pids = await Promise.all(others.map(async (other) => String(await once(other.stdout, "data"))));
  expect(pids[0]).toBe(pids[1]);
  for (const other of others) other.kill("SIGKILL");
  await using server = await startLocalPostgres(options);
  expect(await query(server.url("postgres"), "select 1 as one")).toEqual([{ one: 1 }]);
});

/** Another process that starts the server and prints its process id. */
function startElsewhere(options: LocalPostgresOptions) {
  const program = `
    const { startLocalPostgres } = await import(${JSON.stringify(new URL("./local-postgres.ts", import.meta.url).href)});
    const server = await startLocalPostgres(${JSON.stringify(options)});
    console.log(server.pid);
    setInterval(() => {}, 1000);`;
  return spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
}

function disposable(child: ReturnType<typeof spawn>) {
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await once(child, "close");
    },
  };
}

test("a server that nobody looks after any more can be ended by its data directory", async () => {
  const options = await place();
  await using server = await startLocalPostgres(options);
  const { pid } = server;
  const ended = stopLocalPostgres(options.dataDirectory);
  await Promise.all([ended, server.stop()]);
  expect(await isRunning(pid)).toBe(false);
});
