import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, chown, copyFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runInBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import type { BoxAddress } from "../../apps/control-plane/src/runtimes/runtime.ts";
import { newId, type WorkspaceId } from "../../packages/contract/src/ids.ts";
import { startAhead } from "../fixtures/ahead.ts";
import { startTestDocker } from "../fixtures/docker.ts";
import { startTestHost, type TestHost } from "../fixtures/host.ts";
import { prelude, type Attempt } from "./attempt.ts";
import { deviceAttempts, kernelAttempts } from "./kernel.ts";
import { namespaceAttempts } from "./namespaces.ts";
import { neighbourAttempts, neighbourScript } from "./neighbours.ts";
import { networkAttempts } from "./network.ts";

const execute = promisify(execFile);
const signal = new AbortController().signal;
const port = 7998;
const closed = [
  { what: "the host's loopback", address: "127.0.0.1" },
  { what: "the host's IPv6 loopback", address: "::1" },
  { what: "the host's loopback, mapped", address: "::ffff:127.0.0.1" },
  { what: "the host as slirp shows it", address: "10.0.2.2" },
  { what: "this host", address: "0.0.0.0" },
  { what: "another address of the host", address: "198.51.100.1" },
  { what: "a private network", address: "192.168.77.1" },
  { what: "a private network, mapped", address: "::ffff:192.168.77.1" },
  { what: "a private IPv6 network", address: "fd00:77::1" },
  { what: "the metadata service", address: "169.254.169.254" },
  { what: "the metadata service through NAT64", address: "64:ff9b::a9fe:a9fe" },
  { what: "a carrier's network", address: "100.64.9.1" },
];

const heading = `# Tightness

What is tried from inside a box, as root and as an ordinary user in it: on the embedded runtime with a host process of root and of an ordinary user, and on the Docker
runtime, with the machine's own user ids and with mapped ones. Each line is a test (\`tests/escape\`); this page is written by it.

| tried | by | must happen | why |
| --- | --- | --- | --- |
`;

const space = `alcove-e${randomBytes(3).toString("hex")}`;
const canary = `require("node:net").createServer((socket) => socket.end("canary\\n")).listen(${port}, "::", () => console.log("ready"));`;
let listener: ChildProcess;

/** A network namespace that is the whole world of the host process: nothing that a box sends can leave it. */
beforeAll(async () => {
  await execute("ip", ["netns", "add", space]);
  for (const address of ["198.51.100.1/24", "192.168.77.1/32", "169.254.169.254/32", "100.64.9.1/32"])
    await execute("ip", ["-n", space, "address", "add", address, "dev", "lo"]);
  await execute("ip", ["-n", space, "address", "add", "fd00:77::1/128", "dev", "lo"]);
  await execute("ip", ["-n", space, "link", "set", "lo", "up"]);
  listener = spawn("nsenter", [`--net=/run/netns/${space}`, "--", process.execPath, "-e", canary], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (listener.stdout) await once(createInterface({ input: listener.stdout }), "line");
});
afterAll(async () => {
  listener.kill("SIGKILL");
  await execute("ip", ["netns", "delete", space]);
});

const rows: Attempt[] = [
  ...namespaceAttempts,
  ...kernelAttempts,
  ...deviceAttempts,
  ...neighbourAttempts([process.pid, process.ppid]),
  ...networkAttempts({ port, closed }),
];

test("docs/tightness.md has a line for each attempt", async () => {
  const table = rows.map(({ tried, must, why, by = "both" }) => `| ${tried} | ${by} | ${must} | ${why} |`);
  await expect(`${heading}${table.join("\n")}\n`).toMatchFileSnapshot("../../docs/tightness.md");
});

test.each(rows.filter(({ tried }) => /unshare a|keyctl|fsopen|userfaultfd|host's|private network/.test(tried)))(
  "outside of a box nothing stops it: $tried",
  async ({ perl, fails }) => {
    const outside = ["--net=/run/netns/" + space, "--", "unshare", "--mount", "perl", "-e", `${prelude}\n${perl}`];
    const { stdout } = await execute("nsenter", outside);
    expect(stdout.trim()).not.toMatch(fails);
  },
);

const docker = await startTestDocker();
const mapping = docker && (await startTestDocker({ mapsUsers: true }));
afterAll(async () => {
  await docker?.[Symbol.asyncDispose]();
  await mapping?.[Symbol.asyncDispose]();
});

describe.each([
  { runtime: "the embedded runtime as root", as: "root" as const, options: {} },
  { runtime: "the embedded runtime as root, made ahead", as: "root" as const, options: { spareBoxes: 1 } },
  { runtime: "the embedded runtime as an ordinary user", as: "ordinary user" as const, options: {} },
  ...[
    { runtime: "the Docker runtime", on: docker },
    { runtime: "the Docker runtime, where Docker maps user ids", on: mapping },
  ].flatMap(({ runtime, on }) =>
    on === undefined ? [] : [{ runtime, as: "root" as const, options: { docker: on.address } }],
  ),
])("from a box of $runtime, no way leads out", ({ as, options }) => {
  let host: TestHost;
  let box: BoxAddress;
  let neighbour: WorkspaceId;

  beforeAll(async () => {
    host = await startTestHost({ as, networkNamespace: space, ...options });
    neighbour = newId("workspace");
    const next = await open(neighbour);
    await runInBox(host.runtime, next, neighbourScript);
    box = await ("spareBoxes" in options ? openAhead() : open(newId("workspace")));
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const open = async (id: WorkspaceId): Promise<BoxAddress> => {
    await host.volumes.create(id, signal);
    await host.runtime.create({ workspace: id, name: "blog", limits: { processes: 512 } }, signal);
    await host.runtime.start(id, 1, signal);
    await host.runtime.stop(id, 1, signal);
    await giveRoot(id);
    return host.runtime.start(id, 2, signal);
  };

  const openAhead = async (): Promise<BoxAddress> => {
    const id = await startAhead(host, {}, giveRoot);
    const state = await host.runtime.inspect(id, signal);
    if (state.state !== "running") throw new Error(`the box is ${state.state}`);
    return state.address;
  };

  /** Puts a setuid program into the box's own layer, in place of the sudo that a template has. */
  const giveRoot = async (id: WorkspaceId): Promise<void> => {
    const { kind } = await host.volumes.capabilities(signal);
    const [store, folder] = kind === "btrfs" ? ["pool", "usr/upper/bin"] : ["volumes", "local/bin"];
    const program = path.join(host.data, store, "workspaces", id, "live", "root", "host", folder, "become-root");
    await mkdir(path.dirname(program), { recursive: true });
    await copyFile("/usr/bin/setpriv", program);
    await chown(program, host.boxUserOnDisk - 1_000, host.boxUserOnDisk - 1_000);
    await chmod(program, 0o4755);
  };

  const attempt = async ({ perl }: Attempt, by: "root" | "user"): Promise<string> => {
    const become = by === "root" ? "become-root --reuid 0 --regid 0 --clear-groups -- " : "";
    const script = `${become}perl - <<'END_OF_ATTEMPT' 2>/tmp/errors-$$ || cat /tmp/errors-$$\n${prelude}\n${perl}\nEND_OF_ATTEMPT`;
    return (await runInBox(host.runtime, box, script)).stdout.trim();
  };

  test("root in the box is root there, and nobody outside", async () => {
    const inside = await attempt({ perl: `print "$< $>"`, tried: "", must: "", why: "", fails: /x/ }, "root");
    expect(inside).toBe("0 0");
  });

  const tries = rows.flatMap((row) =>
    (["root", "user"] as const).flatMap((by) => (row.by === undefined || row.by === by ? [{ ...row, by }] : [])),
  );
  test.each(tries)("as $by: $tried → $must, because $why", async (row) => {
    expect(await attempt(row, row.by)).toMatch(row.fails);
  });

  test("the host and the neighbour are as they were", async () => {
    await expect(host.runtime.inspect(neighbour, signal)).resolves.toMatchObject({ state: "running" });
    await writeFile(path.join(host.data, "still-writable"), "");
  });
});
