import { afterAll, beforeAll, expect, test } from "vitest";
import { readFile } from "node:fs/promises";
import { runInBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import { newId, type WorkspaceId } from "../../packages/contract/src/ids.ts";
import { blanksOf, embeddedSpec, startAhead, wasAhead } from "../fixtures/ahead.ts";
import { startTestHost, type TestHost } from "../fixtures/host.ts";

const signal = new AbortController().signal;
let host: TestHost;
beforeAll(async () => {
  host = await startTestHost({ as: "root", spareBoxes: 1 });
});
afterAll(() => host[Symbol.asyncDispose]());

const sh = async (id: WorkspaceId, script: string) => {
  const box = await host.runtime.inspect(id, signal);
  if (box.state !== "running") throw new Error(`the box is ${box.state}`);
  return runInBox(host.runtime, box.address, script);
};
/** Starts a workspace from the beginning: what a shell cannot be told in one line keeps it out of a box that was made ahead. */
async function startCold(): Promise<WorkspaceId> {
  const id = newId("workspace");
  await host.volumes.create(id, signal);
  const env = { GREETING: "hello  you", NOTE: "two\nlines" };
  await host.runtime.create(embeddedSpec(id, { env }), signal);
  await host.runtime.start(id, 1, signal);
  return id;
}
const end = async (id: WorkspaceId): Promise<void> => {
  await host.runtime.destroy(id, signal);
  await host.volumes.destroy(id, signal);
};

test("a workspace that starts in a box made ahead sees what it sees in one made for it", async () => {
  const ahead = await startAhead(host, { env: { GREETING: "hello  you" } });
  const cold = await startCold();
  const looks = {
    environment: "env | grep -v -e NOTE= -e ^lines | sort",
    mounts:
      'while read -r _ _ _ root place options; do echo "$place $root ${options#*- }"; done < /proc/self/mountinfo | sort',
    processes: "ps -eo pid,ppid,user,comm | grep -v -e bash -e ps$ -e grep",
    limits: "ulimit -a; df --output=size,target /tmp /run /dev/shm",
    rights: "grep -e ^Cap -e ^NoNewPrivs -e ^Seccomp: -e ^Groups /proc/self/status; sudo -n id 2>&1",
    places: "pwd; hostname; cat /etc/hosts /etc/resolv.conf; stat -c '%A %U %G %N' / /* /tmp/.. ~ /opt/alcove",
    groups: "cat /proc/self/cgroup /proc/1/cgroup; cat /proc/self/oom_score_adj /proc/1/oom_score_adj",
    files: "ls -l /proc/1/fd | wc -l; readlink /proc/1/root /proc/1/cwd",
  };
  const seenIn = async (id: WorkspaceId) => {
    const seen: Record<string, string> = {};
    for (const [what, script] of Object.entries(looks)) {
      const { stdout } = await sh(id, script);
      seen[what] = stdout.replaceAll(id, "ID").replaceAll(/(?:uid|gid|subvolid)=[0-9]+/g, "N");
    }
    return seen;
  };
  const seen = await seenIn(ahead);
  expect(Object.values(seen)).not.toContain("");
  expect(seen).toEqual(await seenIn(cold));
  await end(ahead);
  await end(cold);
});

test("it has its limits, its files and its network, and stops and starts like any other", async () => {
  const id = await startAhead(host, { limits: { memoryBytes: 256 * 2 ** 20 } });
  expect((await sh(id, "df --output=size /tmp | tail -1; echo kept > file")).stdout.trim()).toBe("131072");
  expect((await sh(id, `perl -e 'my $x = "x" x (1 << 30); print length $x'`)).exitCode).toBe(137);
  const traffic = async () => {
    const box = await host.runtime.inspect(id, signal);
    return box.state === "running" ? (box.usage?.networkOutBytes ?? 0) : 0;
  };
  const before = await traffic();
  await sh(id, "timeout 2 bash -c 'echo x > /dev/udp/192.0.2.1/9'");
  await expect.poll(traffic).toBeGreaterThan(before);
  await host.runtime.stop(id, 1, signal);
  const address = await host.runtime.start(id, 2, signal);
  expect((await runInBox(host.runtime, address, "cat file; hostname")).stdout).toBe("kept\nblog\n");
  await end(id);
  expect(await host.leftovers(id)).toEqual([]);
});

test("a daemon that falls in it is started again with what the workspace's programs are told", async () => {
  const id = await startAhead(host, { env: { GREETING: "hello" } });
  await sh(id, "kill -KILL $PPID").catch(() => undefined);
  await expect
    .poll(() => sh(id, 'echo "$GREETING $ALCOVE_WORKSPACE"; pwd').then(({ stdout }) => stdout, String))
    .toBe(`hello ${id}\n/workspace/user/projects\n`);
  await end(id);
});

test("where the box that was made ahead has ended meanwhile, the workspace starts all the same", async () => {
  await expect.poll(() => blanksOf(host.data)).toHaveLength(1);
  const [{ daemon } = { daemon: 0 }] = await blanksOf(host.data);
  const [, init = ""] = /^PPid:\t([0-9]+)$/m.exec(await readFile(`/proc/${daemon}/status`, "utf8")) ?? [];
  process.kill(Number(init), "SIGKILL");
  const id = newId("workspace");
  await host.volumes.create(id, signal);
  await host.runtime.create(embeddedSpec(id), signal);
  await host.runtime.start(id, 1, signal);
  expect((await sh(id, "hostname")).stdout).toBe("blog\n");
  expect(await wasAhead(host, id)).toBe(false);
  await end(id);
  expect(await host.leftovers(id)).toEqual([]);
});

test("its log goes on from the log of the box before", async () => {
  const id = await startCold();
  const log = () => host.runtime.log(id, 2 ** 16, signal);
  await expect.poll(log).toContain('"epoch":1');
  for (let epoch = 2; ; epoch += 1) {
    await host.runtime.stop(id, epoch - 1, signal);
    await host.runtime.create(embeddedSpec(id), signal);
    await host.runtime.start(id, epoch, signal);
    if (await wasAhead(host, id)) break;
  }
  await expect.poll(log).toMatch(/"epoch":1\D[^]*"epoch":[2-9]/);
  await end(id);
});

test("of boxes that nobody has taken nothing is left when the host process was killed, and those taken go on", async () => {
  const id = await startAhead(host);
  await expect.poll(() => blanksOf(host.data)).toHaveLength(1);
  const untaken = await blanksOf(host.data);
  await host.restart();
  for (const blank of untaken) expect(await host.leftovers(blank.id)).toEqual([]);
  expect(await host.runtime.inspect(id, signal)).toMatchObject({ state: "running", epoch: 1 });
  await end(id);
});
