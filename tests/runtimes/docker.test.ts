import { writeFile } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  runInBox,
  runtimeContract,
  type RuntimeUnderTest,
} from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import type { BoxAddress, BoxSpec } from "../../apps/control-plane/src/runtimes/runtime.ts";
import { newId, type WorkspaceId } from "../../packages/contract/src/ids.ts";
import { builtPart } from "../../tools/build/build.ts";
import { startTestDocker, type TestDocker } from "../fixtures/docker.ts";
import { inVolume, startTestHost, type TestHost } from "../fixtures/host.ts";
import {
  canaryPort,
  closedAddresses,
  makeNetworkWorld,
  publicAddress,
  type NetworkWorld,
} from "../fixtures/network-world.ts";

const execute = promisify(execFile);
const mib = 2 ** 20;
const signal = new AbortController().signal;
const docker = await startTestDocker();
afterAll(() => docker?.[Symbol.asyncDispose]());

const mapping = docker && (await startTestDocker({ mapsUsers: true }));
afterAll(() => mapping?.[Symbol.asyncDispose]());

async function openRuntime(on: TestDocker | undefined): Promise<RuntimeUnderTest> {
  if (on === undefined) throw new Error("There is no Docker");
  // As it is installed: what is loaded only for Docker lies in a file of its own there.
  const entry = path.join(await builtPart("host"), "main.mjs");
  const host = await startTestHost({ as: "root", entry, docker: on.address });
  const canary = path.join(host.data, "canary");
  await writeFile(canary, "secret", { mode: 0o644 });
  return {
    runtime: host.runtime,
    prepareVolume: (id) => host.volumes.create(id, signal),
    removeVolume: (id) => host.volumes.destroy(id, signal),
    restart: () => host.restart(),
    leftovers: (id) => host.leftovers(id),
    hostFiles: [
      canary,
      "/etc/machine-id-of-host",
      "/var/lib/postgresql",
      "/etc/ssh/sshd_config",
      "/etc/ssl/private",
      "/run/docker.sock",
      "/var/run/docker.sock",
      process.cwd(),
    ],
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

describe.skipIf(docker === undefined)("where Docker runs", () => {
  runtimeContract("the Docker runtime", () => openRuntime(docker));
  runtimeContract("the Docker runtime, where Docker maps user ids", () => openRuntime(mapping));

  describe("a box of Docker's", () => {
    let engine: TestDocker;
    let host: TestHost;
    beforeAll(async () => {
      if (docker === undefined) return;
      engine = docker;
      host = await startTestHost({ as: "root", docker: engine.address });
    });
    afterAll(() => host[Symbol.asyncDispose]());

    const open = async (
      spec: Partial<BoxSpec> = {},
      id: WorkspaceId = newId("workspace"),
    ): Promise<{ id: WorkspaceId; address: BoxAddress }> => {
      await host.volumes.create(id, signal);
      await host.runtime.create({ workspace: id, name: "blog", ...spec }, signal);
      return { id, address: await host.runtime.start(id, 1, signal) };
    };
    const close = async (id: WorkspaceId): Promise<void> => {
      await host.runtime.destroy(id, signal);
      await host.volumes.destroy(id, signal);
      expect(await host.leftovers(id)).toEqual([]);
    };
    const containerOf = async (id: WorkspaceId): Promise<string> =>
      (await engine.docker("ps", "--all", "--quiet", "--filter", `label=alcove.workspace=${id}`)).trim();
    const asRoot = async (id: WorkspaceId, script: string): Promise<string> =>
      engine.docker("exec", "--user", "0", await containerOf(id), "sh", "-c", script);
    const sh = async (address: BoxAddress, script: string): Promise<string> =>
      (await runInBox(host.runtime, address, script)).stdout;

    test("has no privilege, no network, no port and no folder of Docker's", async () => {
      const { id, address } = await open();
      const [seen] = JSON.parse(await engine.docker("inspect", await containerOf(id)));
      expect(seen.HostConfig).toMatchObject({
        Privileged: false,
        NetworkMode: "none",
        PidMode: "",
        UsernsMode: "",
        PortBindings: {},
      });
      expect(seen.HostConfig.IpcMode).toBe("private");
      expect(JSON.stringify(seen.Mounts)).not.toContain("docker.sock");
      const bounds = await sh(address, "grep -E '^(CapBnd|CapEff|Seccomp|NoNewPrivs):' /proc/self/status");
      expect(bounds).toBe("CapEff:\t0000000000000000\nCapBnd:\t00000000a00405fb\nNoNewPrivs:\t0\nSeccomp:\t2\n");
      await close(id);
    });

    test("keeps what root installed, and a fork of it on the other runtime has it too, with the same owners", async () => {
      const { id, address } = await open();
      await asRoot(id, "echo installed > /usr/local/bin/tool; echo setting > /etc/tool.conf");
      await sh(address, "echo mine > file");
      const snapshot = newId("snapshot");
      await host.volumes.snapshot(id, snapshot, signal);
      await host.runtime.stop(id, 1, signal);
      const again = await host.runtime.start(id, 2, signal);
      expect(await sh(again, "cat /usr/local/bin/tool /etc/tool.conf file")).toBe("installed\nsetting\nmine\n");

      const fork = newId("workspace");
      await host.volumes.fork(id, snapshot, fork, signal);
      const embedded = host.other("embedded");
      await embedded.create({ workspace: fork, name: "fork" }, signal);
      const other = await embedded.start(fork, 1, signal);
      const script = "cat /usr/local/bin/tool /etc/tool.conf file; stat -c %u:%g /etc/tool.conf file; echo more > more";
      expect((await runInBox(embedded, other, script)).stdout).toBe("installed\nsetting\nmine\n0:0\n1000:1000\n");
      await embedded.stop(fork, 1, signal);
      await host.runtime.create({ workspace: fork, name: "fork" }, signal);
      expect(await sh(await host.runtime.start(fork, 2, signal), "cat more; stat -c %u more")).toBe("more\n1000\n");
      expect(await inVolume(host, fork, "cat user/projects/more")).toBe("more\n");
      await close(id);
      await close(fork);
    });

    test("cannot make a folder that would be lost: / itself is read-only", async () => {
      const { id } = await open();
      await expect(asRoot(id, "mkdir /lost")).rejects.toThrow(/Read-only file system/);
      await close(id);
    });

    test("tells of memory that ran out, and takes new limits while it runs", async () => {
      const { id, address } = await open({ limits: { memoryBytes: 512 * mib } });
      const watching = new AbortController();
      const told = (async () => {
        for await (const happening of host.runtime.happenings(0, watching.signal))
          if (happening.workspace === id && happening.kind === "limit.reached") return happening.data;
        return null;
      })();
      const bomb = await runInBox(host.runtime, address, `perl -e 'my $x = "x" x (1 << 30); print length $x'`);
      expect(bomb.exitCode).toBe(137);
      expect(await told).toMatchObject({ limit: "memory", code: "out_of_memory", process: "perl", at: 512 * mib });
      watching.abort();
      await sh(address, "head -c 200M /dev/zero > /dev/shm/held");
      const spec = { workspace: id, name: "blog" };
      await expect(host.runtime.update({ ...spec, limits: { memoryBytes: 128 * mib } }, signal)).rejects.toMatchObject({
        code: "limit_too_low",
      });
      await host.runtime.update({ ...spec, limits: { memoryBytes: 600 * mib, processes: 99, openFiles: 500 } }, signal);
      const [seen] = JSON.parse(await engine.docker("inspect", await containerOf(id)));
      expect(seen.HostConfig).toMatchObject({ Memory: 600 * mib, PidsLimit: 99 });
      expect(await sh(address, "ulimit -n")).toBe("500\n");
      await close(id);
    });

    test("cannot lead the control plane to another socket in the place of its own", async () => {
      const { id, address } = await open();
      await sh(address, "cd /run/alcove/link && mv daemon.sock mine.sock && ln -s mine.sock daemon.sock");
      await expect(host.runtime.dial(address, signal)).rejects.toMatchObject({ code: "workspace_unreachable" });
      await close(id);
    });

    test("goes on without dockerd; what needs it says so at once, and works when it is back", async () => {
      const { id, address } = await open();
      await engine.kill();
      expect(await sh(address, "echo here")).toBe("here\n");
      expect(await host.runtime.inspect(id, signal)).toMatchObject({ state: "running" });
      expect(await host.runtime.capabilities(signal)).toMatchObject({
        usable: false,
        findings: [expect.objectContaining({ id: "docker", level: "missing", remedy: "systemctl restart docker" })],
      });
      await expect(open()).rejects.toMatchObject({ code: "runtime_unavailable" });
      await host.runtime.stop(id, 1, signal);
      expect(await host.runtime.inspect(id, signal)).toEqual({ state: "stopped" });
      await engine.start();
      await expect.poll(() => containerOf(id), { timeout: 20_000 }).toBe("");
      expect(await sh(await host.runtime.start(id, 2, signal), "echo back")).toBe("back\n");
      await close(id);
    });

    test("whose start is cut short by a kill of the host process leaves nothing, whenever it comes", async () => {
      for (const delayMs of [30, 120, 240, 400, 600]) {
        const ids = [newId("workspace"), newId("workspace")];
        const starts = ids.map((id) => open({}, id).catch(() => undefined));
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        await host.restart();
        await Promise.all(starts);
        const [first, second] = ids;
        if (first !== undefined) await close(first);
        if (second === undefined) continue;
        // The other one may be started as if nothing had happened.
        const { address } = await open({}, second);
        expect(await sh(address, "echo again")).toBe("again\n");
        await close(second);
      }
      await expect.poll(() => engine.docker("ps", "--all", "--quiet"), { timeout: 20_000 }).toBe("");
    });

    test("that nobody knows any more is removed when the host process starts", async () => {
      const { id } = await open();
      await host.runtime.stop(id, 1, signal);
      const labels = (await engine.docker("ps", "--all", "--format", "{{.Labels}}")).trim();
      expect(labels).toBe("");
      const [image] = (await engine.docker("images", "--quiet", "alcove-root")).split("\n");
      const instance = createHash("sha256").update(host.data).digest("hex").slice(0, 8);
      await engine.docker(
        "create",
        "--label",
        `alcove.instance=${instance}`,
        "--label",
        `alcove.workspace=${id}`,
        image ?? "",
        "/x",
      );
      await host.restart();
      await expect.poll(() => containerOf(id), { timeout: 20_000 }).toBe("");
      await close(id);
    });

    const build = async (
      dockerfile: string,
    ): Promise<{ kind: string; image?: string; code?: string; detail?: string }[]> => {
      const folder = await execute("mktemp", ["-d"]).then(({ stdout }) => stdout.trim());
      await writeFile(`${folder}/Dockerfile`, dockerfile);
      await writeFile(`${folder}/tool`, "#!/bin/sh\necho built\n", { mode: 0o755 });
      const { stdout } = await execute("tar", ["-C", folder, "-c", "."], { encoding: "buffer" });
      await execute("rm", ["-r", folder]);
      const context = createHash("sha256").update(stdout).digest("hex");
      const answer = await host.client.upload(
        "image.build",
        { name: "tools", context },
        Readable.from([stdout]),
        signal,
      );
      return (await text(answer))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    };

    test("runs an image that was built here, and what went wrong with another is told", async () => {
      const base = (await engine.docker("images", "--quiet", "alcove-root")).split("\n")[0];
      const lines = await build(`FROM ${base}\nCOPY tool /usr/local/bin/tool\nENV KIND=built\n`);
      expect(lines.at(-1)).toEqual({ kind: "done", image: expect.stringMatching(/^alcove-template:tools-/) });
      expect(lines[0]?.kind).toBe("progress");
      const broken = await build(`FROM ${base}\nCOPY missing /\n`);
      expect(broken.at(-1)).toMatchObject({
        kind: "failed",
        code: "image_build_failed",
        detail: expect.stringContaining("missing"),
      });
    });
  });

  test("where Docker maps user ids, root in a box is nobody here, and a fork bomb leaves room to end it", async () => {
    if (mapping === undefined) return;
    await using host = await startTestHost({ as: "root", docker: mapping.address });
    const id = newId("workspace");
    await host.volumes.create(id, signal);
    await host.runtime.create({ workspace: id, name: "bomb", limits: { processes: 128 } }, signal);
    const address = await host.runtime.start(id, 1, signal);
    expect(
      (await runInBox(host.runtime, address, "cut -d' ' -f2- < /proc/self/uid_map | tr -d ' \n'")).stdout,
    ).not.toMatch(/^00/);
    const bomb = runInBox(host.runtime, address, "bomb() { bomb | bomb & }; bomb 2> /dev/null; sleep 1000").catch(
      () => null,
    );
    const state = async () => {
      const { usage } = { usage: null, ...(await host.runtime.inspect(id, signal)) };
      return usage?.processes ?? 0;
    };
    await expect.poll(state, { timeout: 15_000 }).toBeGreaterThan(90);
    expect((await runInBox(host.runtime, address, "exec kill -KILL -1").catch(() => ({ stdout: "" }))).stdout).toBe("");
    await bomb;
    const answers = () =>
      runInBox(host.runtime, address, "echo here").then(
        ({ stdout }) => stdout,
        () => "",
      );
    await expect.poll(answers, { timeout: 20_000 }).toBe("here\n");
  });

  describe.each([
    { as: "", on: docker },
    { as: ", where it maps user ids", on: mapping },
  ])("the network of a box of Docker's$as", ({ on }) => {
    let world: NetworkWorld;
    let host: TestHost;
    let box: BoxAddress;
    beforeAll(async () => {
      if (on === undefined) return;
      world = await makeNetworkWorld();
      host = await startTestHost({ as: "root", docker: on.address, networkNamespace: world.hostSide });
      const id = newId("workspace");
      await host.volumes.create(id, signal);
      await host.runtime.create({ workspace: id, name: "net" }, signal);
      box = await host.runtime.start(id, 1, signal);
    });
    afterAll(async () => {
      await host[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    });
    const fromBox = async (address: string): Promise<string> => {
      const script = `exec 3<>/dev/tcp/${address}/${canaryPort} && timeout 2 cat <&3`;
      return (await runInBox(host.runtime, box, `timeout 4 bash -c '${script}' 2>/dev/null`)).stdout.trim();
    };

    test("a public address answers, and the traffic is counted", async () => {
      expect(await fromBox(publicAddress)).toBe("canary");
      expect(await host.runtime.inspect(box.workspace, signal)).toMatchObject({
        usage: { networkInBytes: expect.any(Number), memoryBytes: expect.any(Number) },
      });
    });

    test.each([...closedAddresses, "10.0.2.2", "127.0.0.1"])("%s does not answer", async (address) => {
      expect(await fromBox(address)).toBe("");
    });

    test("none closes it while it runs, and a kill of the host process leaves it closed", async () => {
      await host.runtime.update(
        { workspace: box.workspace, name: "net", network: { mode: "none", allow: [] } },
        signal,
      );
      expect(await fromBox(publicAddress)).toBe("");
      await host.restart();
      expect(await fromBox(publicAddress)).toBe("");
    });
  });
});
