import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runInBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import type { BoxAddress } from "../../apps/control-plane/src/runtimes/runtime.ts";
import { newId } from "../../packages/contract/src/ids.ts";
import { startTestHost, type TestHost } from "../fixtures/host.ts";

/**
 * What a box reaches is judged in a world of two network namespaces: one in which the host process runs, and behind it one with every other address. Nothing is
 * sent to a real network, and only a canary's answer counts.
 */
const execute = promisify(execFile);
const port = 7999;
const name = `alcove-${randomBytes(3).toString("hex")}`;
const hostSide = `${name}-h`;
const worldSide = `${name}-w`;

const open = { v4: "198.51.100.10", hostOwn: "198.51.100.1" };
const closed = [
  "10.77.0.1",
  "172.16.5.1",
  "192.168.77.1",
  "169.254.169.254",
  "100.64.9.1",
  "198.18.0.9",
  "0.0.0.0",
  "127.0.0.1",
];
const closedV6 = ["fd00:77::1", "::1", "::ffff:10.77.0.1", "::ffff:169.254.169.254"];

const canary = `
const { createServer } = require("node:net");
createServer((socket) => socket.end("canary\\n")).listen(${port}, "::", () => console.log("ready"));
`;

async function ip(...parameters: string[]): Promise<void> {
  await execute("ip", parameters);
}

async function startCanary(namespace: string): Promise<ChildProcess> {
  const child = spawn("nsenter", [`--net=/run/netns/${namespace}`, "--", process.execPath, "-e", canary], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(createInterface({ input: child.stdout }), "line");
  return child;
}

async function makeWorld(): Promise<ChildProcess[]> {
  await ip("netns", "add", hostSide);
  await ip("netns", "add", worldSide);
  await ip("-n", hostSide, "link", "add", "out", "type", "veth", "peer", "name", "in", "netns", worldSide);
  await ip("-n", hostSide, "address", "add", `${open.hostOwn}/24`, "dev", "out");
  await ip("-n", hostSide, "address", "add", "fd00:66::1/64", "dev", "out", "nodad");
  await ip("-n", worldSide, "address", "add", `${open.v4}/24`, "dev", "in");
  await ip("-n", worldSide, "address", "add", "fd00:66::2/64", "dev", "in", "nodad");
  for (const address of closed.slice(0, 6)) await ip("-n", worldSide, "address", "add", `${address}/32`, "dev", "in");
  await ip("-n", worldSide, "address", "add", "fd00:77::1/128", "dev", "in", "nodad");
  for (const [side, link] of [
    [hostSide, "out"],
    [worldSide, "in"],
  ] as const) {
    await ip("-n", side, "link", "set", "lo", "up");
    await ip("-n", side, "link", "set", link, "up");
  }
  await ip("-n", hostSide, "route", "add", "default", "via", open.v4);
  await ip("-n", hostSide, "-6", "route", "add", "default", "via", "fd00:66::2");
  return Promise.all([startCanary(hostSide), startCanary(worldSide)]);
}

const ask = (address: string): string => `exec 3<>/dev/tcp/${address}/${port} && timeout 2 cat <&3`;

describe.each(["root", "ordinary user"] as const)("the network of a box started by %s", (as) => {
  const signal = AbortSignal.timeout(120_000);
  let canaries: ChildProcess[] = [];
  let host: TestHost;
  let box: BoxAddress;
  beforeAll(async () => {
    canaries = await makeWorld();
    host = await startTestHost({ as, networkNamespace: hostSide });
    const id = newId("workspace");
    await host.volumes.create(id, signal);
    await host.runtime.create({ workspace: id, name: "net" }, signal);
    box = await host.runtime.start(id, 1, signal);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    for (const child of canaries) {
      child.kill();
      await once(child, "exit");
    }
    await ip("netns", "delete", hostSide);
    await ip("netns", "delete", worldSide);
  });

  const fromBox = async (address: string): Promise<{ answer: string; ms: number }> => {
    const started = performance.now();
    const { stdout } = await runInBox(host.runtime, box, `timeout 4 bash -c '${ask(address)}' 2>/dev/null`);
    return { answer: stdout.trim(), ms: performance.now() - started };
  };

  test("the canaries answer on the host itself, so that their silence means something", async () => {
    for (const address of [open.v4, ...closed, "fd00:77::1", "::1"]) {
      const { stdout } = await execute("nsenter", [`--net=/run/netns/${hostSide}`, "--", "bash", "-c", ask(address)]);
      expect([address, stdout]).toEqual([address, "canary\n"]);
    }
  });

  test("a public address answers", async () => {
    expect((await host.runtime.capabilities(signal)).egress).toBe(true);
    expect((await fromBox(open.v4)).answer).toBe("canary");
  });

  test.each([...closed, ...closedV6, open.hostOwn, "10.0.2.2", "10.0.2.3"])(
    "%s does not answer, and says so at once",
    async (address) => {
      const { answer, ms } = await fromBox(address);
      expect(answer).toBe("");
      expect(ms).toBeLessThan(900);
    },
  );

  test("root in the box cannot change the rules or the links", async () => {
    const { stdout } = await runInBox(
      host.runtime,
      box,
      "for c in 'nft flush ruleset' 'ip link set tap0 down' 'ip route add 10.0.0.0/8 dev tap0' 'ip address add 10.9.9.9/8 dev tap0'; do $c 2>/dev/null && echo $c; done; true",
    );
    expect(stdout).toBe("");
  });

  test("what listens in the box is reached in the box alone", async () => {
    await runInBox(
      host.runtime,
      box,
      `python3 -c 'import http.server; http.server.HTTPServer(("0.0.0.0", 8123), http.server.SimpleHTTPRequestHandler).serve_forever()' > /dev/null 2>&1 & disown`,
    );
    const inside = await runInBox(
      host.runtime,
      box,
      "for i in $(seq 100); do exec 3<>/dev/tcp/127.0.0.1/8123 && break; sleep 0.05; done 2>/dev/null; echo open",
    );
    expect(inside.stdout).toBe("open\n");
    await expect(
      execute("nsenter", [`--net=/run/netns/${hostSide}`, "--", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8123"]),
    ).rejects.toThrow();
  });
});
