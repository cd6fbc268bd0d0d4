import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runInBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import type { BoxAddress } from "../../apps/control-plane/src/runtimes/runtime.ts";
import { newId } from "../../packages/contract/src/ids.ts";
import { startTestHost, type TestHost } from "../fixtures/host.ts";
import {
  canaryPort,
  closedAddresses,
  closedV6Address,
  hostAddress,
  makeNetworkWorld,
  publicAddress,
  type NetworkWorld,
} from "../fixtures/network-world.ts";

const execute = promisify(execFile);
const closed = [...closedAddresses, "0.0.0.0", "127.0.0.1"];
const closedV6 = [closedV6Address, "::1", "::ffff:10.77.0.1", "::ffff:169.254.169.254"];

const ask = (address: string): string => `exec 3<>/dev/tcp/${address}/${canaryPort} && timeout 2 cat <&3`;

describe.each(["root", "ordinary user"] as const)("the network of a box started by %s", (as) => {
  const signal = AbortSignal.timeout(120_000);
  let world: NetworkWorld;
  let host: TestHost;
  let box: BoxAddress;
  beforeAll(async () => {
    world = await makeNetworkWorld();
    host = await startTestHost({ as, networkNamespace: world.hostSide });
    const id = newId("workspace");
    await host.volumes.create(id, signal);
    await host.runtime.create({ workspace: id, name: "net" }, signal);
    box = await host.runtime.start(id, 1, signal);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const fromBox = async (address: string): Promise<{ answer: string; ms: number }> => {
    const started = performance.now();
    const { stdout } = await runInBox(host.runtime, box, `timeout 4 bash -c '${ask(address)}' 2>/dev/null`);
    return { answer: stdout.trim(), ms: performance.now() - started };
  };

  test("the canaries answer on the host itself, so that their silence means something", async () => {
    for (const address of [publicAddress, ...closed, closedV6Address, "::1"]) {
      const { stdout } = await execute("nsenter", [
        `--net=/run/netns/${world.hostSide}`,
        "--",
        "bash",
        "-c",
        ask(address),
      ]);
      expect([address, stdout]).toEqual([address, "canary\n"]);
    }
  });

  test("a public address answers", async () => {
    expect((await host.runtime.capabilities(signal)).egress).toBe(true);
    expect((await fromBox(publicAddress)).answer).toBe("canary");
  });

  test.each([...closed, ...closedV6, hostAddress, "10.0.2.2", "10.0.2.3"])(
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
      execute("nsenter", [`--net=/run/netns/${world.hostSide}`, "--", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8123"]),
    ).rejects.toThrow();
  });
});
