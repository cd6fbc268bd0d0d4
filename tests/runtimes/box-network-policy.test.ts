import { chmod, chown, copyFile } from "node:fs/promises";
import path from "node:path";
import { decode, encode, type RecordType } from "dns-packet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runInBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import type { BoxAddress } from "../../apps/control-plane/src/runtimes/runtime.ts";
import type { Network } from "../../packages/contract/src/api/network.ts";
import type { BoxHappening } from "../../packages/contract/src/host.ts";
import { newId, type WorkspaceId } from "../../packages/contract/src/ids.ts";
import { startTestHost, type TestHost } from "../fixtures/host.ts";
import {
  canaryPort,
  closedAddresses,
  hostAddress,
  makeNetworkWorld,
  nameServer,
  publicAddress,
  type NetworkWorld,
} from "../fixtures/network-world.ts";

const allowList: Network = { mode: "allow-list", allow: ["allowed.test", "*.wild.test"] };
const open: Network = { mode: "open", allow: [] };
const none: Network = { mode: "none", allow: [] };
/** Long enough for a busy machine, far shorter than any time-out of a program that waits for an answer in vain. */
const atOnceMs = 3_000;

describe.each(["root", "ordinary user"] as const)("the network policy of a box started by %s", (as) => {
  const signal = AbortSignal.timeout(240_000);
  const id: WorkspaceId = newId("workspace");
  const spec = { workspace: id, name: "net" };
  let world: NetworkWorld;
  let host: TestHost;
  let box: BoxAddress;

  beforeAll(async () => {
    world = await makeNetworkWorld();
    host = await startTestHost({
      as,
      volumes: "plain",
      networkNamespace: world.hostSide,
      resolvConf: world.resolvConf,
    });
    await host.volumes.create(id, signal);
    await host.runtime.create({ ...spec, network: allowList }, signal);
    box = await host.runtime.start(id, 1, signal);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  /** Puts a setuid program into the box's own layer, in place of the sudo that a template has. */
  const giveRoot = async (): Promise<void> => {
    const program = path.join(
      host.data,
      "volumes",
      "workspaces",
      id,
      "live",
      "root",
      "host",
      "local",
      "bin",
      "become-root",
    );
    await copyFile("/usr/bin/setpriv", program);
    await chown(program, host.boxUserOnDisk - 1_000, host.boxUserOnDisk - 1_000);
    await chmod(program, 0o4755);
  };
  const sh = async (script: string): Promise<string> => (await runInBox(host.runtime, box, script)).stdout.trim();
  const curl = (parameters: string): Promise<string> => sh(`curl -sk --max-time 8 ${parameters} || echo "failed $?"`);
  const timed = async (work: Promise<string>): Promise<{ answer: string; isAtOnce: boolean }> => {
    const started = performance.now();
    const answer = await work;
    return { answer, isAtOnce: performance.now() - started < atOnceMs };
  };
  const refused = { answer: expect.stringMatching(/^(?:failed [0-9]+)?$/), isAtOnce: true };
  const dial = (address: string, port = canaryPort): Promise<string> =>
    sh(`exec 3<>/dev/tcp/${address}/${port} && timeout 5 cat <&3; true`);
  const change = (network: Network): Promise<void> => host.runtime.update({ ...spec, network }, signal);
  const traffic = async (): Promise<{ in: number; out: number }> => {
    const state = await host.runtime.inspect(id, signal);
    const usage = state.state === "running" ? state.usage : null;
    return { in: usage?.networkInBytes ?? -1, out: usage?.networkOutBytes ?? -1 };
  };

  /** Asks the box's own resolver from inside the box. */
  const lookUp = async (name: string, type: RecordType, server = "127.0.0.53"): Promise<unknown> => {
    const query = encode({ type: "query", id: 7, flags: 0x0100, questions: [{ name, type, class: "IN" }] });
    const answer = await sh(
      `exec 3<>/dev/udp/${server}/53; echo ${query.toString("base64")} | base64 -d >&3; timeout 5 dd bs=4096 count=1 <&3 2>/dev/null | base64 -w0`,
    );
    if (answer === "") return null;
    const { flags = 0, answers = [] } = decode(Buffer.from(answer, "base64"));
    return { code: flags & 0xf, data: answers.map((record) => ("data" in record ? record.data : null)) };
  };
  const noSuchName = { code: 3, data: [] };

  const denials = async (wanted: { host: string; port: number | null; canAllow: boolean }): Promise<void> => {
    const enough = new AbortController();
    const within = AbortSignal.any([enough.signal, AbortSignal.timeout(10_000)]);
    const seen: unknown[] = [];
    try {
      for await (const happening of host.runtime.happenings(0, within)) {
        seen.push(denied(happening));
        if (happening.workspace === id && JSON.stringify(denied(happening)) === JSON.stringify({ ...wanted, times: 1 }))
          return;
      }
    } finally {
      enough.abort();
    }
    expect(seen).toContainEqual(wanted);
  };
  const denied = ({ kind, data }: BoxHappening): unknown =>
    kind === "network.denied" ? { host: data.host, port: data.port, canAllow: data.canAllow, times: data.times } : kind;

  describe("with an allow-list", () => {
    test("an allowed name answers, over HTTP, TLS and a protocol whose server speaks first", async () => {
      expect(await curl("http://allowed.test/")).toBe(`http host=allowed.test at=${publicAddress}`);
      expect(await curl("https://allowed.test/")).toBe(`tls name=allowed.test at=${publicAddress}`);
      expect(
        await sh("exec 3<>/dev/tcp/allowed.test/7022; read -r line <&3; echo $line; echo again >&3; head -n1 <&3"),
      ).toBe(`welcome at=${publicAddress}\nagain`);
    });

    test("a wildcard stands for names at any depth below it, not for its own name", async () => {
      expect(await curl("http://a.wild.test/")).toBe("http host=a.wild.test at=198.51.100.20");
      expect(await curl("http://B.c.Wild.test./")).toContain("at=198.51.100.20");
      expect(await timed(curl("http://wild.test/"))).toEqual(refused);
    });

    test("another name does not exist, the denial is told, and the question never leaves", async () => {
      expect(await timed(curl("https://other.test/"))).toEqual(refused);
      await denials({ host: "other.test", port: null, canAllow: true });
      expect(await lookUp("c2VjcmV0.other.test", "TXT")).toEqual(noSuchName);
      expect(await lookUp("c2VjcmV0.other.test", "A")).toEqual(noSuchName);
      expect(world.asked.filter((question) => question.endsWith("other.test"))).toEqual([]);
    });

    test("a name leads to addresses and to nothing else", async () => {
      expect(await lookUp("allowed.test", "A")).toEqual({ code: 0, data: [publicAddress] });
      for (const type of ["TXT", "NULL", "MX", "SRV"] as const)
        expect([type, await lookUp("allowed.test", type)]).toEqual([type, { code: 0, data: [] }]);
      expect(world.asked).not.toContain("TXT allowed.test");
    });

    test("an address that no allowed name led to is refused", async () => {
      expect(await timed(dial("198.51.100.30"))).toEqual({ answer: "", isAtOnce: true });
      await denials({ host: "198.51.100.30", port: canaryPort, canAllow: false });
      expect(await timed(curl("http://198.51.100.30/"))).toEqual(refused);
      expect(await timed(curl("https://198.51.100.30/"))).toEqual(refused);
    });

    test("a connection goes to the host that it names, wherever it was sent", async () => {
      expect(await curl("--resolve allowed.test:443:198.51.100.30 https://allowed.test/")).toBe(
        `tls name=allowed.test at=${publicAddress}`,
      );
      expect(await curl("--resolve allowed.test:80:198.51.100.30 http://allowed.test/")).toBe(
        `http host=allowed.test at=${publicAddress}`,
      );
    });

    test("naming another host at an allowed address is refused and told", async () => {
      await curl("http://allowed.test/");
      expect(await timed(curl(`--resolve tls-other.test:443:${publicAddress} https://tls-other.test/`))).toEqual(
        refused,
      );
      await denials({ host: "tls-other.test", port: 443, canAllow: true });
      expect(await timed(curl("-H 'Host: http-other.test' http://allowed.test/"))).toEqual(refused);
      await denials({ host: "http-other.test", port: 80, canAllow: true });
      // Also behind a server that speaks first, where the client's own first words come late.
      expect(
        await sh(
          "exec 3<>/dev/tcp/allowed.test/7022; read -r line <&3; printf 'GET / HTTP/1.1\\r\\nHost: late-other.test\\r\\n\\r\\n' >&3; timeout 5 cat <&3; true",
        ),
      ).toBe("");
      await denials({ host: "late-other.test", port: 7022, canAllow: true });
    });

    test("a second request for another host on the same connection reaches the allowed host alone", async () => {
      const requests =
        "GET / HTTP/1.1\\r\\nHost: allowed.test\\r\\n\\r\\nGET / HTTP/1.1\\r\\nHost: other.test\\r\\nConnection: close\\r\\n\\r\\n";
      const answer = await sh(`exec 3<>/dev/tcp/allowed.test/80; printf '${requests}' >&3; timeout 5 cat <&3`);
      expect(answer.match(/at=[0-9.]+/g)).toEqual([`at=${publicAddress}`, `at=${publicAddress}`]);
    });

    test("what is not TCP is refused at once, and so are other resolvers", async () => {
      const udp = `exec 3<>/dev/udp/${publicAddress}/${canaryPort}; echo x >&3; timeout 5 head -c 6 <&3; true`;
      expect(await timed(sh(udp))).toEqual({ answer: "", isAtOnce: true });
      expect(await lookUp("allowed.test", "A", nameServer)).toBeNull();
      expect(await lookUp("allowed.test", "A", "10.0.2.3")).toBeNull();
    });

    test("an answer too large for UDP comes by TCP", async () => {
      await change({ mode: "allow-list", allow: [...allowList.allow, "large.test"] });
      expect(await sh("getent ahostsv4 large.test | grep -c STREAM")).toBe("200");
      await change(allowList);
    });

    test("a hundred connections at once all get through, whole", async () => {
      const fetches = "for i in $(seq 100); do curl -s --max-time 20 http://allowed.test/many | wc -c & done; wait";
      const sizes = (await sh(fetches)).split("\n");
      expect(sizes).toEqual(Array.from({ length: 100 }, () => "1000000"));
    });

    test("a flood of questions or connections is refused at the box's own cost, and passes", async () => {
      const questions = `perl -MSocket -e 'socket(my $s, AF_INET, SOCK_DGRAM, 0); connect($s, pack_sockaddr_in(53, inet_aton("127.0.0.53"))); my $sent = 0; for (1..5000) { $sent++ if defined send($s, "x" x 12, 0) } print $sent'`;
      expect(Number(await sh(questions))).toBeLessThan(4_000);
      const connections = `perl -MSocket -e 'my $made = 0; for (1..2000) { socket(my $s, AF_INET, SOCK_STREAM, 0); $made++ if connect($s, pack_sockaddr_in(443, inet_aton("198.51.100.30"))) } print $made'`;
      expect(Number(await sh(connections))).toBeLessThan(1_500);
      await expect.poll(() => curl("http://allowed.test/"), { timeout: 15_000 }).toContain(publicAddress);
    });

    test("bytes that the proxy passed on are counted", async () => {
      const before = await traffic();
      expect(await curl("http://allowed.test/many | wc -c")).toBe("1000000");
      expect(await sh("head -c 500000 /dev/zero | curl -s --data-binary @- http://allowed.test/")).toContain("at=");
      const after = await traffic();
      expect(after.in - before.in).toBeGreaterThan(1_000_000);
      expect(after.in - before.in).toBeLessThan(1_200_000);
      expect(after.out - before.out).toBeGreaterThan(500_000);
      expect(after.out - before.out).toBeLessThan(600_000);
    });
  });

  describe("when the policy changes while the box runs", () => {
    test("a connection over the open network ends with the change to an allow-list, and an allowed one with its name", async () => {
      await change(open);
      const stay = (name: string): Promise<string> =>
        sh(`exec 3<>/dev/tcp/${name}/7022; read -r line <&3; touch ready-${name}; cat <&3; echo ended`);
      const ready = async (name: string): Promise<void> => {
        const look = () => sh(`ls ready-${name} 2>&1 && rm ready-${name}`);
        await expect.poll(look, { timeout: 10_000 }).toBe(`ready-${name}`);
      };
      const first = stay("other.test");
      await ready("other.test");
      await change(allowList);
      // A reset comes with the next byte that the box sends or hears of.
      await runInBox(host.runtime, box, "pkill -x cat; true");
      expect(await first).toContain("ended");
      const second = stay("allowed.test");
      await ready("allowed.test");
      await change({ mode: "allow-list", allow: ["*.wild.test"] });
      expect(await second).toBe("ended");
      expect(await timed(curl("http://allowed.test/"))).toEqual(refused);
      await change(allowList);
      expect(await curl("http://allowed.test/")).toContain(publicAddress);
    });

    test("none lets nothing out and no question either; the gateway's port stays", async () => {
      await change(none);
      const questions = world.asked.length;
      for (const name of ["allowed.test", "other.test"]) expect(await timed(curl(`http://${name}/`))).toEqual(refused);
      expect(await timed(dial(publicAddress))).toEqual({ answer: "", isAtOnce: true });
      expect(
        await timed(sh(`exec 3<>/dev/udp/${publicAddress}/${canaryPort}; echo x >&3; timeout 5 head -c 6 <&3; true`)),
      ).toEqual({
        answer: "",
        isAtOnce: true,
      });
      expect(await lookUp("allowed.test", "A")).toEqual(noSuchName);
      expect(world.asked).toHaveLength(questions);
      await denials({ host: "allowed.test", port: null, canAllow: true });
      expect(await sh("exec 3<>/dev/tcp/127.0.0.1/4140 && echo open")).toBe("open");
    });

    test("open reaches every public host, counts its bytes, and asks for any kind of record", async () => {
      await change(open);
      const before = await traffic();
      expect(await curl("http://other.test/many | wc -c")).toBe("1000000");
      expect((await traffic()).in - before.in).toBeGreaterThan(1_000_000);
      expect(await dial(publicAddress)).toBe("canary");
      expect(await lookUp("alias.test", "A")).toEqual({ code: 0, data: ["other.test", "198.51.100.30"] });
      expect(await lookUp("other.test", "TXT")).toEqual({ code: 0, data: [[Buffer.from("secret")]] });
      expect(await lookUp("missing.test", "A")).toEqual(noSuchName);
    });
  });

  describe.each([
    ["open", open],
    [
      "allow-list",
      {
        mode: "allow-list",
        allow: ["*.test", "rebind.test", "mixed.test", "metadata.test", "mapped.test", "host-own.test"],
      },
    ],
  ] satisfies [string, Network][])("in mode %s", (_, network) => {
    beforeAll(() => change(network));

    test("an answer that leads to a closed address is taken out, and told", async () => {
      expect(await lookUp("metadata.test", "A")).toEqual({ code: 0, data: [] });
      await denials({ host: "metadata.test", port: null, canAllow: false });
      expect(await lookUp("mixed.test", "A")).toEqual({ code: 0, data: [publicAddress] });
      expect(await lookUp("mapped.test", "AAAA")).toEqual({ code: 0, data: ["2001:db8::7"] });
      expect(await lookUp("host-own.test", "A")).toEqual({ code: 0, data: [] });
    });

    test("a name that changes its address to a closed one is never followed there", async () => {
      const answers = new Set<string>();
      for (let times = 0; times < 8; times += 1)
        answers.add(await sh(`exec 3<>/dev/tcp/rebind.test/${canaryPort} && timeout 5 head -c 20 <&3; true`));
      expect([...answers].filter((answer) => answer !== "" && answer !== "canary")).toEqual([]);
      const data: unknown[] = [];
      for (let times = 0; times < 4; times += 1) data.push(await lookUp("rebind.test", "A"));
      expect(data).toEqual(
        expect.arrayContaining([
          { code: 0, data: [] },
          { code: 0, data: [publicAddress] },
        ]),
      );
      expect(JSON.stringify(data)).not.toMatch(/169\.254|127\.0|10\.77/);
    });

    test("closed addresses refuse at once, named or not", async () => {
      for (const address of [...closedAddresses, hostAddress]) {
        expect([address, await timed(dial(address))]).toEqual([address, { answer: "", isAtOnce: true }]);
        expect([
          address,
          await timed(
            curl(`--resolve allowed.test:${canaryPort}:${address} --http0.9 http://allowed.test:${canaryPort}/`),
          ),
        ]).toEqual([address, refused]);
      }
    });

    test("localhost is the box itself", async () => {
      expect(await lookUp("preview.localhost", "A")).toEqual({ code: 0, data: ["127.0.0.1"] });
    });
  });

  const asRoot = (perl: string): Promise<string> =>
    sh(`become-root --reuid 0 --regid 0 --clear-groups -- timeout 8 perl -MSocket -e '${perl}' 2>&1; true`);
  /** The device itself, in place of the way that the rules give. */
  const device = `setsockopt($s, 1, 25, "tap0") or print "no device;"; alarm 1;`;
  const tcpByDevice = `socket(my $s, AF_INET, SOCK_STREAM, 0); ${device} connect($s, pack_sockaddr_in(${canaryPort}, inet_aton("198.51.100.30"))) and sysread($s, my $b, 20); print $b // "nothing"`;
  const udpByDevice = (address: string): string =>
    `socket(my $s, AF_INET, SOCK_DGRAM, 0); ${device} send($s, "x", 0, pack_sockaddr_in(${canaryPort}, inet_aton("${address}"))); my $b = "nothing"; recv($s, $b, 20, 0); print $b`;
  /** A packet of its own making, whose answer would come to an ordinary socket. */
  const rawPacket = `socket(my $in, AF_INET, SOCK_DGRAM, 0); bind($in, pack_sockaddr_in(5555, inet_aton("10.0.2.100"))); socket(my $s, AF_INET, SOCK_RAW, 255) or print "no raw;"; my $p = pack("CCnnnCCna4a4nnnna1", 0x45, 0, 29, 1, 0, 64, 17, 0, inet_aton("10.0.2.100"), inet_aton("${publicAddress}"), 5555, ${canaryPort}, 9, 0, "x"); send($s, $p, 0, pack_sockaddr_in(0, inet_aton("${publicAddress}"))) or print "not sent;"; alarm 1; my $b = "nothing"; recv($in, $b, 20, 0); print $b`;

  test.each([
    ["allow-list", allowList],
    ["none", none],
  ] satisfies [string, Network][])("root in the box finds no way around %s", async (_, network) => {
    await giveRoot();
    await change(network);
    expect(await asRoot(`print "$<"`)).toBe("0");
    for (const way of [tcpByDevice, udpByDevice(publicAddress), udpByDevice("127.0.0.1"), rawPacket])
      expect([way, await asRoot(way)]).not.toEqual([way, expect.stringContaining("canary")]);
    const resolver = `socket(my $s, AF_INET, SOCK_DGRAM, 0); print bind($s, pack_sockaddr_in(53, inet_aton("127.0.0.53"))) ? "taken" : "refused"`;
    expect(await asRoot(resolver)).toBe("refused");
  });

  test("the same ways lead out where the network is open, and to closed addresses nowhere", async () => {
    await giveRoot();
    await change(open);
    for (const way of [tcpByDevice, udpByDevice(publicAddress), rawPacket])
      expect([way, await asRoot(way)]).toEqual([way, expect.stringContaining("canary")]);
    for (const address of ["10.77.0.1", "127.0.0.1", hostAddress])
      expect([address, await asRoot(udpByDevice(address))]).not.toEqual([address, expect.stringContaining("canary")]);
  });

  test("while no host process runs the rules hold, and the next one serves the box again", async () => {
    await change(allowList);
    expect(await curl("http://allowed.test/")).toContain(publicAddress);
    await host.restart();
    await expect.poll(() => curl("http://allowed.test/"), { timeout: 10_000 }).toContain(publicAddress);
    expect(await timed(curl("http://other.test/"))).toEqual(refused);
    expect(await timed(dial("198.51.100.30"))).toEqual({ answer: "", isAtOnce: true });
    await change(none);
    expect(await timed(dial(publicAddress))).toEqual({ answer: "", isAtOnce: true });
    expect((await traffic()).in).toBeGreaterThan(1_000_000);
  });

  test("a box that starts again has the network that was set last, and nothing is left of it in the end", async () => {
    await host.runtime.stop(id, 1, signal);
    await change(allowList);
    box = await host.runtime.start(id, 2, signal);
    expect(await curl("http://allowed.test/")).toContain(publicAddress);
    expect(await timed(curl("http://other.test/"))).toEqual(refused);
    await host.runtime.destroy(id, signal);
    await host.volumes.destroy(id, signal);
    expect(await host.leftovers(id)).toEqual([]);
  });
});
