import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, readlink, stat, statfs } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runInBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import { newId, type WorkspaceId } from "../../packages/contract/src/ids.ts";
import { builtPart } from "../../tools/build/build.ts";
import { ownBun } from "../../tools/project.ts";
import { startTestHost, type TestHost } from "../fixtures/host.ts";

const execute = promisify(execFile);
const signal = new AbortController().signal;

// Of administrators and services, who are told to shut others out of their files.
const umask = "077";

describe.each(["root", "ordinary user"] as const)("the host process of %s, started with a strict mask", (as) => {
  let host: TestHost;
  beforeAll(async () => {
    host = await startTestHost({ as, umask, entry: path.join(await builtPart("host"), "main.mjs") });
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const create = async (limits = {}): Promise<WorkspaceId> => {
    const id = newId("workspace");
    await host.volumes.create(id, signal);
    await host.runtime.create({ workspace: id, name: "blog", limits }, signal);
    return id;
  };

  test("killed at any moment of a start, it starts the box at the second try and leaves nothing of the first", async () => {
    const id = await create();
    const first = await host.runtime.start(id, 1, signal);
    expect(first.epoch).toBe(1);
    for (let round = 0; round < 10; round++) {
      const epoch = round + 2;
      const broken = host.runtime.start(id, epoch, signal).then(
        () => "started",
        () => "broken off",
      );
      await new Promise((resolve) => setTimeout(resolve, 4 + round * 11));
      await host.restart();
      await broken;
      const address = await host.runtime.start(id, epoch, signal);
      expect((await runInBox(host.runtime, address, "cat /proc/[0-9]*/comm | grep -c alcove-")).stdout).toBe("2\n");
      const inits = (await host.leftovers(id)).filter(
        (entry) => entry.startsWith("process ") && entry.includes("init/alcove-init "),
      );
      expect(inits).toHaveLength(1);
    }
    await host.runtime.destroy(id, signal);
    await host.volumes.destroy(id, signal);
    expect(await host.leftovers(id)).toEqual([]);
  });

  test("killed at any moment of a stop or a destroy, it ends what it began", async () => {
    for (let round = 0; round < 6; round++) {
      const id = await create();
      await host.runtime.start(id, 1, signal);
      const broken = (round % 2 === 0 ? host.runtime.stop(id, 1, signal) : host.runtime.destroy(id, signal)).catch(
        () => undefined,
      );
      await new Promise((resolve) => setTimeout(resolve, round * 8));
      await host.restart();
      await broken;
      await host.runtime.destroy(id, signal);
      await host.volumes.destroy(id, signal);
      expect(await host.leftovers(id)).toEqual([]);
    }
  });

  test("a box that ends by itself is seen as stopped, and nothing of it runs on", async () => {
    const id = await create();
    await host.runtime.start(id, 1, signal);
    const init = (await host.leftovers(id)).find((entry) => entry.includes("init/alcove-init "));
    process.kill(Number(init?.split(" ")[1]), "SIGKILL");
    await expect.poll(() => host.runtime.inspect(id, signal)).toEqual({ state: "stopped" });
    await expect
      .poll(async () => (await host.leftovers(id)).filter((entry) => /^(process|mount) |cgroup/.test(entry)), {
        timeout: 10_000,
      })
      .toEqual([]);
    expect(await host.runtime.start(id, 1, signal)).toMatchObject({ epoch: 1 });
    await host.runtime.destroy(id, signal);
    await host.volumes.destroy(id, signal);
  });

  test("the way out of a box that is killed is opened again", async ({ skip }) => {
    if (!(await host.runtime.capabilities(signal)).egress) skip();
    const id = await create();
    const address = await host.runtime.start(id, 1, signal);
    const wayOut = async () => (await host.leftovers(id)).find((entry) => /^process .*slirp4netns /.test(entry));
    const first = await wayOut();
    expect(first).toBeDefined();
    process.kill(Number(first?.split(" ")[1]), "SIGKILL");
    const device = async () => (await runInBox(host.runtime, address, "grep -c tap0 /proc/net/dev")).stdout;
    await expect.poll(device).toBe("0\n");
    await expect.poll(device, { timeout: 20_000 }).toBe("1\n");
    expect(await wayOut()).not.toBe(first);
    await host.runtime.destroy(id, signal);
    await host.volumes.destroy(id, signal);
    expect(await host.leftovers(id)).toEqual([]);
  });

  test("many boxes start at once", async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => create()));
    const addresses = await Promise.all(ids.map((id) => host.runtime.start(id, 1, signal)));
    const names = await Promise.all(
      addresses.map(async (address) =>
        (await runInBox(host.runtime, address, 'echo "$ALCOVE_WORKSPACE"')).stdout.trim(),
      ),
    );
    expect(names).toEqual(ids);
    await Promise.all(ids.map((id) => host.runtime.destroy(id, signal)));
    await Promise.all(ids.map((id) => host.volumes.destroy(id, signal)));
  });

  test("a box's root is put together where nobody else sees it, and what waits for files in the background is not there", async () => {
    const id = await create();
    const { stdout } = await execute("pgrep", ["--full", `main.mjs --data ${host.data} `]);
    const threads = `/proc/${stdout.trim().split("\n")[0]}/task`;
    const placeOf = async (thread: string) =>
      Promise.all(["mnt", "net"].map((kind) => readlink(`${threads}/${thread}/ns/${kind}`)));
    const [main = ""] = path.dirname(threads).split("/").slice(-1);
    const mounts = () => readFile(path.join(threads, main, "mountinfo"), "utf8");
    for (let epoch = 1; epoch <= 5; epoch++) {
      let started = false;
      const start = host.runtime.start(id, epoch, signal).finally(() => (started = true));
      while (!started) expect(await mounts()).not.toContain(id);
      await start;
    }
    const names = await Promise.all(
      (await readdir(threads)).map(
        async (thread) => [thread, await readFile(`${threads}/${thread}/comm`, "utf8")] as const,
      ),
    );
    const pool = names.filter(([, name]) => name.startsWith("Bun Pool"));
    expect(pool).not.toEqual([]);
    for (const [thread] of pool) expect(await placeOf(thread)).toEqual(await placeOf(main));
    await host.runtime.destroy(id, signal);
    await host.volumes.destroy(id, signal);
  });

  test("a box's network has a table of connections of its own, which is read in no time", async ({ skip }) => {
    skip(!existsSync("/proc/sys/net/ipv4/tcp_child_ehash_entries"), "this kernel has one for all networks");
    const id = await create();
    const address = await host.runtime.start(id, 1, signal);
    expect((await runInBox(host.runtime, address, "cat /proc/sys/net/ipv4/tcp_ehash_entries")).stdout).toBe("8192\n");
    await host.runtime.destroy(id, signal);
    await host.volumes.destroy(id, signal);
  });

  test("a disk limit holds and is told as such", async ({ skip }) => {
    if (!(await host.volumes.capabilities(signal)).diskLimits) skip();
    const id = await create({ diskBytes: 64 * 2 ** 20 });
    const address = await host.runtime.start(id, 1, signal);
    const { stderr } = await runInBox(host.runtime, address, "head -c 100000000 /dev/urandom > big");
    expect(stderr).toContain("Disk quota exceeded");
    await host.runtime.destroy(id, signal);
    await host.volumes.destroy(id, signal);
  });

  test("the log stays short whatever the box writes", async () => {
    const id = await create();
    const address = await host.runtime.start(id, 1, signal);
    await runInBox(host.runtime, address, "head -c 30000000 /dev/zero | tr '\\0' x > /proc/1/fd/2");
    const log = path.join(host.data, "logs", "boxes", `${id}.log`);
    await expect.poll(async () => (await stat(log)).size, { timeout: 10_000 }).toBeLessThan(5 * 2 ** 20);
    await host.runtime.destroy(id, signal);
    await host.volumes.destroy(id, signal);
  });

  test("it does nothing for others, and nothing that is not on its list", async () => {
    const socket = path.join(host.data, "host.sock");
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
    const asNobody = [
      "--reuid",
      "65534",
      "--regid",
      "65534",
      "--clear-groups",
      "curl",
      "-s",
      "--unix-socket",
      socket,
      "http://host/v1/box.list",
    ];
    await expect(execute("setpriv", asNobody)).rejects.toThrow();
    const ask = async (operation: string, body: string): Promise<string> =>
      (await execute("curl", ["-s", "-X", "POST", "-d", body, "--unix-socket", socket, `http://host/v1/${operation}`]))
        .stdout;
    expect(await ask("box.exec", "{}")).toContain('"not_found"');
    expect(await ask("box.inspect", '{"workspace":"../../etc"}')).toContain('"bad_request"');
    expect(
      await ask("volume.snapshot", `{"workspace":"${newId("workspace")}","snapshot":"snap_../../../../etc/passwd"}`),
    ).toContain('"bad_request"');
    expect(await ask("box.create", '{"workspace":')).toContain('"bad_request"');
  });
});

test("an ordinary user without sub-ids is told the command that gives them", async () => {
  const host = await startTestHost({ as: "ordinary user", subordinateIds: false });
  const { usable, findings } = await host.runtime.capabilities(signal);
  expect(usable).toBe(false);
  expect(findings.find(({ id }) => id === "user-namespaces")).toMatchObject({
    level: "broken",
    remedy: expect.stringMatching(/^sudo usermod --add-subuids /),
  });
  await expect(host.volumes.create(newId("workspace"), signal)).rejects.toMatchObject({ code: "namespaces_forbidden" });
  await host[Symbol.asyncDispose]();
});

test("nothing of a host process is left after it was shut down with its boxes", async () => {
  const host = await startTestHost({ as: "root" });
  const id = newId("workspace");
  await host.volumes.create(id, signal);
  await host.runtime.create({ workspace: id, name: "blog" }, signal);
  await host.runtime.start(id, 1, signal);
  const stage = `/run/alcove/${createHash("sha256").update(host.data).digest("hex").slice(0, 8)}`;
  const inMemory = 0x01021994;
  expect((await statfs(stage)).type).toBe(inMemory);
  // As a crash leaves it between a box's folder and its record.
  await mkdir(path.join(host.data, "boxes", newId("workspace")));
  await host[Symbol.asyncDispose]();
  expect(await host.leftovers(id)).toEqual([]);
  const mounts = await readFile("/proc/self/mountinfo", "utf8");
  for (const place of [host.data, stage]) expect(mounts).not.toContain(place);
  expect((await execute("losetup", ["--list", "--noheadings", "--output", "BACK-FILE"])).stdout).not.toContain(
    host.data,
  );
});

test("a second host process waits until the first one has ended, and nothing that it started keeps it waiting", async () => {
  await using host = await startTestHost({ as: "root" });
  const id = newId("workspace");
  await host.volumes.create(id, signal);
  await host.runtime.create({ workspace: id, name: "blog" }, signal);
  await host.runtime.start(id, 1, signal);
  const socket = path.join(host.data, "host.sock");
  const { ino } = await stat(socket);
  const entry = path.join(await builtPart("host"), "main.mjs");
  const args = [entry, "--data", host.data, "--socket", socket, "--owner", "0:0", "--no-template"];
  const second = spawn(ownBun, args, { stdio: "ignore", env: { ...process.env, ALCOVE_SPARE_BOXES: "0" } });
  const opened = async () =>
    Promise.all(
      (await readdir(`/proc/${second.pid}/fd`)).map((fd) =>
        readlink(`/proc/${second.pid}/fd/${fd}`).catch(() => "closed"),
      ),
    );
  await expect.poll(opened, { timeout: 20_000 }).toContain(path.join(host.data, "run/host.lock"));
  expect((await stat(socket)).ino).toBe(ino);
  expect(await host.runtime.inspect(id, signal)).toMatchObject({ state: "running" });
  const ended = once(second, "exit");
  second.kill("SIGKILL");
  await ended;
  // With a box that runs on.
  await host.restart();
  expect(await host.runtime.inspect(id, signal)).toMatchObject({ state: "running" });
});
