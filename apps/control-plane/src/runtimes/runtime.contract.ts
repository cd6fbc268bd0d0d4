import { newId, type WorkspaceId } from "@alcove/contract/ids";
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BoxAddress, Runtime } from "./runtime.ts";

export interface RuntimeUnderTest extends AsyncDisposable {
  runtime: Runtime;
  prepareVolume(id: WorkspaceId): Promise<void>;
  removeVolume(id: WorkspaceId): Promise<void>;
  /** Kills what stands behind the runtime, as a power cut would, and starts it again. */
  restart(): Promise<void>;
  /** Whatever bears the id on the machine: processes, mounts, control groups, files. */
  leftovers(id: WorkspaceId): Promise<string[]>;
  /** Files of the machine that no box may see. */
  hostFiles: string[];
}

type Outcome = { exitCode: number; stdout: string; stderr: string };

/** Asks the daemon of a box over the runtime's one way in. */
export async function askBox(
  runtime: Runtime,
  address: BoxAddress,
  options: RequestOptions,
  body?: unknown,
): Promise<IncomingMessage> {
  const link = await runtime.dial(address, AbortSignal.timeout(5_000));
  return new Promise((resolve, reject) => {
    const headers = { host: "box", connection: "close", "content-type": "application/json" };
    const outgoing = request({ ...options, headers, createConnection: () => link }, (answer) => {
      answer.once("close", () => link.destroy());
      resolve(answer);
    });
    outgoing.once("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Runs a shell script in the box as its user. */
export async function runInBox(runtime: Runtime, address: BoxAddress, script: string): Promise<Outcome> {
  const answer = await askBox(
    runtime,
    address,
    { method: "POST", path: "/v1/exec" },
    { command: ["bash", "-c", script] },
  );
  if (answer.statusCode !== 200) throw new Error(`exec answered ${answer.statusCode}: ${await text(answer)}`);
  const outcome: Outcome = { exitCode: -1, stdout: "", stderr: "" };
  for await (const line of createInterface({ input: answer })) {
    const event = JSON.parse(line) as { kind: "stdout" | "stderr"; data: string } | { kind: "exit"; exitCode: number };
    if (event.kind === "exit") outcome.exitCode = event.exitCode;
    else outcome[event.kind] += event.data;
  }
  return outcome;
}

/** What every runtime does. */
export function runtimeContract(name: string, open: () => Promise<RuntimeUnderTest>): void {
  describe(`${name} keeps the contract of runtimes`, () => {
    const signal = new AbortController().signal;
    let under: RuntimeUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under[Symbol.asyncDispose]());

    const create = async (
      box: { name?: string; limits?: { processes?: number; memoryBytes?: number } } = {},
    ): Promise<WorkspaceId> => {
      const id = newId("workspace");
      await under.prepareVolume(id);
      await under.runtime.create(
        { workspace: id, name: box.name ?? "blog", limits: box.limits ?? {}, env: { GREETING: "hello" } },
        signal,
      );
      return id;
    };
    const started = async (): Promise<{ id: WorkspaceId; address: BoxAddress }> => {
      const id = await create();
      return { id, address: await under.runtime.start(id, 1, signal) };
    };
    const health = async (address: BoxAddress): Promise<{ workspace: string; epoch: number; startedAt: string }> =>
      JSON.parse(await text(await askBox(under.runtime, address, { path: "/v1/health" })));
    const sh = (address: BoxAddress, script: string): Promise<Outcome> => runInBox(under.runtime, address, script);
    const gone = async (id: WorkspaceId): Promise<void> => {
      await under.runtime.destroy(id, signal);
      await under.removeVolume(id);
    };

    test("a started box answers with its epoch, as its user, in its own folder", async () => {
      const { id, address } = await started();
      expect(await health(address)).toMatchObject({ workspace: id, epoch: 1 });
      expect(await under.runtime.inspect(id, signal)).toMatchObject({ state: "running", epoch: 1, frozen: false });
      const { stdout } = await sh(
        address,
        'id -u; hostname; pwd; echo "$HOME $GREETING $ALCOVE_WORKSPACE"; touch a && echo wrote',
      );
      expect(stdout).toBe(`1000\nblog\n/workspace/user/projects\n/workspace/user/home hello ${id}\nwrote\n`);
      await gone(id);
    });

    test("the same epoch twice gives the same box, a higher one a new box on the same files", async () => {
      const { id, address } = await started();
      const first = await health(address);
      await sh(address, "echo kept > a");
      expect(await under.runtime.start(id, 1, signal)).toEqual(address);
      expect(await health(address)).toEqual(first);
      const next = await under.runtime.start(id, 2, signal);
      expect(await health(next)).toMatchObject({ epoch: 2 });
      expect((await sh(next, "cat a")).stdout).toBe("kept\n");
      await gone(id);
    });

    test("a lower epoch is refused, and one that was stopped never starts again", async () => {
      const id = await create();
      await under.runtime.start(id, 3, signal);
      await expect(under.runtime.start(id, 2, signal)).rejects.toMatchObject({ code: "epoch_stale" });
      await expect(under.runtime.stop(id, 2, signal)).rejects.toMatchObject({ code: "epoch_stale" });
      expect(await under.runtime.inspect(id, signal)).toMatchObject({ state: "running", epoch: 3 });
      await under.runtime.stop(id, 3, signal);
      await under.runtime.stop(id, 3, signal);
      expect(await under.runtime.inspect(id, signal)).toEqual({ state: "stopped" });
      await expect(under.runtime.start(id, 3, signal)).rejects.toMatchObject({ code: "epoch_stale" });
      await gone(id);
    });

    test("a box that was never created is absent and does not start", async () => {
      const id = newId("workspace");
      expect(await under.runtime.inspect(id, signal)).toEqual({ state: "absent" });
      await expect(under.runtime.start(id, 1, signal)).rejects.toMatchObject({ code: "not_found" });
      await under.runtime.destroy(id, signal);
    });

    test("boxes outlive what stands behind the runtime and are found again", async () => {
      const { id, address } = await started();
      const before = await health(address);
      await under.restart();
      expect(await health(address)).toEqual(before);
      expect(await under.runtime.list(signal)).toContainEqual({
        id,
        state: expect.objectContaining({ state: "running", epoch: 1 }),
        claimedForMs: null,
      });
      expect(await under.runtime.start(id, 1, signal)).toEqual(address);
      await gone(id);
      expect(await under.leftovers(id)).toEqual([]);
    });

    test("a stop ends everything in the box and keeps its files; a dial then fails with a code", async () => {
      const { id, address } = await started();
      await sh(address, "echo kept > a; (trap '' TERM; exec sleep 1000) > /dev/null 2>&1 & disown");
      await under.runtime.stop(id, 1, signal);
      await expect(under.runtime.dial(address, signal)).rejects.toMatchObject({ code: "workspace_unreachable" });
      const running = (await under.leftovers(id)).filter((entry) => /^(process|mount) /.test(entry));
      expect(running).toEqual([]);
      const next = await under.runtime.start(id, 2, signal);
      expect((await sh(next, "cat a; pgrep -c sleep")).stdout).toBe("kept\n0\n");
      await gone(id);
    });

    test("a frozen box does nothing until it is thawed", async ({ skip }) => {
      if (!(await under.runtime.capabilities(signal)).freeze) skip();
      const { id, address } = await started();
      await under.runtime.freeze(id, signal);
      expect(await under.runtime.inspect(id, signal)).toMatchObject({ state: "running", frozen: true });
      const answer = health(address);
      await under.runtime.thaw(id, signal);
      expect(await answer).toMatchObject({ epoch: 1 });
      await under.runtime.freeze(id, signal);
      await gone(id);
      expect(await under.leftovers(id)).toEqual([]);
    });

    test("limits hold, and usage is told", async ({ skip }) => {
      if (!(await under.runtime.capabilities(signal)).limits) skip();
      const id = await create({ limits: { processes: 512, memoryBytes: 256 * 2 ** 20 } });
      const address = await under.runtime.start(id, 1, signal);
      const memory = await sh(address, "head -c 400M /dev/zero | tail -c 390M > /dev/null; echo ${PIPESTATUS[1]}");
      expect(memory.stdout).toBe("137\n");
      await sh(address, "head -c 128M /dev/urandom > large; sync large");
      const state = await under.runtime.inspect(id, signal);
      expect(state).toMatchObject({
        usage: { memoryBytes: expect.any(Number), cpuMicros: expect.any(Number), processes: expect.any(Number) },
      });
      const memoryBytes = state.state === "running" ? state.usage?.memoryBytes : undefined;
      expect(memoryBytes, "the kernel's copy of a file is not held by a program").toBeLessThan(96 * 2 ** 20);
      await gone(id);
    });

    test("the log is kept", async () => {
      const { id } = await started();
      expect(await under.runtime.log(id, 10_000, signal)).toContain(id);
      await gone(id);
    });

    test("a box sees no file, process or right of the host", async () => {
      const { id, address } = await started();
      for (const file of under.hostFiles) expect((await sh(address, `test -e '${file}' && echo seen`)).stdout).toBe("");
      expect((await sh(address, "cat /etc/shadow /etc/gshadow; ls /root /home/* /proc/1/root/root")).stdout).toBe("");
      const processes = (await sh(address, "cat /proc/[0-9]*/comm | sort -u | tr '\\n' ' '")).stdout;
      expect(processes).toMatch(/^alcove-daemon alcove-init (bash |cat |sort |tr )*$/);
      const refused = [
        "unshare --user true",
        "unshare --mount true",
        "mount -t tmpfs none /tmp",
        "mount -o remount,rw /proc/sys",
        "umount /proc/kcore",
        "chroot / true",
        "mknod /tmp/disk b 254 0",
        "nsenter -t 1 -n true",
        "echo x > /proc/sys/kernel/core_pattern",
        "echo b > /proc/sysrq-trigger",
        "echo x > /sys/kernel/uevent_helper",
        "echo -1000 > /proc/self/oom_score_adj",
        "head -c 1 /dev/mem",
        "head -c 1 /proc/kcore | grep -q .",
        "cat /proc/keys | grep -q .",
        "dmesg",
        "ls /sys/firmware/*",
        "touch /opt/alcove/bin/x",
        "python3 -c 'import socket; socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)'",
        "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'",
        "python3 -c 'import socket; socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)'",
        "python3 -c 'import os,ctypes,sys; sys.exit(0 if ctypes.CDLL(None).syscall(250, 0, 0) >= 0 else 1)'",
      ];
      const script = refused.map((command, index) => `(${command}) > /dev/null 2>&1 && echo ${index}`).join("\n");
      const allowed = (await sh(address, script)).stdout.split("\n").filter(Boolean);
      expect(allowed.map((index) => refused[Number(index)])).toEqual([]);
      await gone(id);
    });

    test("a box sees nothing of another box", async () => {
      const one = await started();
      const other = await started();
      await sh(
        one.address,
        "echo secret > secret; echo secret > /tmp/secret; echo secret > /dev/shm/secret; exec -a canary sleep 1000 > /dev/null 2>&1 & disown",
      );
      const { stdout } = await sh(
        other.address,
        `grep -rls secret /workspace /tmp /dev/shm /var/tmp; cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o '[c]anary'; find / -path '*${one.id}*' 2>/dev/null; cat /proc/self/mountinfo | grep -c '${one.id}'`,
      );
      expect(stdout).toBe("0\n");
      await Promise.all([gone(one.id), gone(other.id)]);
    });

    test("after destroy nothing is left, whatever the box was doing", async () => {
      const { id, address } = await started();
      await sh(address, "(setsid sleep 1000 > /dev/null 2>&1 &); mkdir deep; echo 1 > deep/file");
      await under.runtime.destroy(id, signal);
      await under.runtime.destroy(id, signal);
      expect(await under.runtime.inspect(id, signal)).toEqual({ state: "absent" });
      await under.removeVolume(id);
      expect(await under.leftovers(id)).toEqual([]);
    });
  });
}
