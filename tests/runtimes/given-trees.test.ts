import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { json, text } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askBox, runInBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import { unpackedTreeSchema } from "../../packages/contract/src/host.ts";
import { newId } from "../../packages/contract/src/ids.ts";
import { startTestHost, type TestHost } from "../fixtures/host.ts";
import { imageOf, makeSmallRoot, tarOf, tarOfEntries } from "../fixtures/root-archives.ts";

const signal = new AbortController().signal;
const largestBytes = 64 * 2 ** 20;

describe.each(["root", "ordinary user"] as const)("as %s", (as) => {
  let host: TestHost;
  let folder: string;
  let small: Buffer;
  beforeAll(async () => {
    host = await startTestHost({ as });
    folder = await mkdtemp(path.join(tmpdir(), "alcove-roots-"));
    await makeSmallRoot(path.join(folder, "small"));
    small = await tarOf(path.join(folder, "small"));
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const unpack = async (bytes: Buffer) => {
    const body = Readable.from([bytes]);
    return unpackedTreeSchema.parse(
      await json(await host.client.upload("template.unpack", { largestBytes }, body, signal)),
    );
  };
  const treesFolder = async () => {
    const kind = (await host.volumes.capabilities(signal)).kind;
    return path.join(host.data, kind === "btrfs" ? "pool" : "volumes", "templates");
  };
  const inBoxOver = async (template: string, env: Record<string, string>, script: string) => {
    const id = newId("workspace");
    await host.volumes.create(id, signal);
    await host.runtime.create({ workspace: id, name: "given", template, env }, signal);
    const address = await host.runtime.start(id, 1, signal);
    const result = await runInBox(host.runtime, address, script);
    return { id, ...result };
  };

  test("a tar of a root file system becomes the root of boxes, with the box's user, and the same tar is the same tree", async () => {
    const given = await unpack(small);
    expect(given).toMatchObject({ kind: "tar", lacks: ["sudo", "tmux", "git"] });
    expect(await unpack(gzipSync(small))).not.toMatchObject({ tree: given.tree });
    expect((await unpack(small)).tree).toBe(given.tree);
    const { stdout, id } = await inBoxOver(
      given.tree,
      {},
      "id -un; cat /etc/resolv.conf; ls /usr/bin; echo mine > /tmp/a",
    );
    expect(stdout).toContain("user\nnameserver 127.0.0.53");
    await host.client.call("template.keep", { trees: [], olderThanMs: 0 }, signal);
    expect(await readdir(await treesFolder())).toContain(given.tree);
    await host.runtime.destroy(id, signal);
    await host.volumes.destroy(id, signal);
    await host.client.call("template.keep", { trees: [], olderThanMs: 0 }, signal);
    expect((await readdir(await treesFolder())).filter((name) => name.startsWith(given.tree))).toEqual([]);
  });

  test("layers of an image are put over each other: whiteouts take away, links lead where the image means, the configuration is taken over", async () => {
    const over = tarOfEntries([
      { path: "etc/first/", type: "Directory", mode: 0o755 },
      { path: "etc/first/a", body: "a" },
      { path: "etc/first/b", body: "b" },
      { path: "etc/gone", body: "gone" },
      { path: "var/", type: "Directory", mode: 0o755 },
      { path: "srv/real/", type: "Directory", mode: 0o755 },
      { path: "var/away", type: "SymbolicLink", linkpath: "/srv/real" },
    ]);
    const top = tarOfEntries([
      { path: "etc/first/.wh..wh..opq" },
      { path: "etc/first/c", body: "c" },
      { path: "etc/.wh.gone" },
      { path: "var/away/inside", body: "inside" },
      { path: "usr/bin/again", type: "Link", linkpath: "etc/first/c" },
    ]);
    const image = await imageOf(
      path.join(folder, "image"),
      [
        { bytes: gzipSync(small), type: "tar+gzip" },
        { bytes: zstdCompressSync(over), type: "tar+zstd" },
        { bytes: top, type: "tar" },
      ],
      {
        Env: ["GREETING=hello there", "PATH=/usr/bin:/bin"],
        Cmd: ["serve", "--all files"],
        ExposedPorts: { "8080/tcp": {}, "53/udp": {} },
      },
    );
    const given = await unpack(image);
    expect(given).toMatchObject({
      kind: "oci",
      env: { GREETING: "hello there" },
      start: "serve '--all files'",
      ports: [8080],
    });
    const { stdout } = await inBoxOver(
      given.tree,
      given.env,
      "ls /etc/first; ls /etc/gone 2>/dev/null; cat /srv/real/inside; echo; cat /usr/bin/again; echo; echo $GREETING",
    );
    expect(stdout).toBe("c\ninside\nc\nhello there\n");
  });

  test.each<[string, () => Buffer, string]>([
    ["an absolute path", () => tarOfEntries([{ path: "/tmp/alcove-escaped", body: "x" }]), "absolute path"],
    ["a path that leads up", () => tarOfEntries([{ path: "a/../../escaped", body: "x" }]), "leads out of it"],
    [
      "a hard link to the host",
      () => tarOfEntries([{ path: "passwd", type: "Link", linkpath: "../../../../etc/passwd" }]),
      "leads out of it",
    ],
    ["a device", () => tarOfEntries([{ path: "disk", type: "BlockDevice", devmaj: 8, devmin: 0 }]), "is a device"],
    ["nothing", () => Buffer.alloc(0), "is empty"],
    ["no tar at all", () => Buffer.from("hello ".repeat(500)), ""],
    ["half a tar", () => small.subarray(0, 700_000), ""],
    ["no shell", () => tarOfEntries([{ path: "etc/passwd", body: "" }]), "no /bin/sh"],
    ["an endless header", () => tarOfEntries([{ path: "a", type: "ExtendedHeader", size: 2 ** 31 }]), ""],
    [
      "too many bytes",
      () => gzipSync(tarOfEntries([{ path: "zeros", body: "\0".repeat(largestBytes) }])),
      "larger than",
    ],
  ])("%s is refused, and nothing is left of it", async (_what, bytes, reason) => {
    const before = (await readdir(await treesFolder())).toSorted();
    await expect(unpack(bytes())).rejects.toMatchObject({
      code: "template_invalid",
      message: expect.stringContaining(reason),
    });
    expect((await readdir(await treesFolder())).toSorted()).toEqual(before);
  });

  test("links lead into the tree alone, also where Alcove writes its own files", async () => {
    const before = await readFile("/etc/passwd", "utf8");
    const evil = tarOfEntries([
      { path: "etc", type: "SymbolicLink", linkpath: "/etc" },
      { path: "up", type: "SymbolicLink", linkpath: "../../../../../../etc" },
      { path: "up/passwd", body: "owned" },
      { path: "etc/passwd", body: "owned" },
    ]);
    await expect(unpack(evil)).rejects.toMatchObject({ code: "template_invalid" });
    expect(await readFile("/etc/passwd", "utf8")).toBe(before);
  });

  test("a root without bash runs boxes all the same, with the shell that it has", async () => {
    await makeSmallRoot(path.join(folder, "plain"), ["dash", "cat", "id", "env"]);
    const given = await unpack(await tarOf(path.join(folder, "plain")));
    expect(given.lacks).toEqual(["bash", "sudo", "tmux", "git"]);
    const id = newId("workspace");
    await host.volumes.create(id, signal);
    await host.runtime.create(
      { workspace: id, name: "plain", template: given.tree, env: { SHELL: "/bin/sh" } },
      signal,
    );
    const address = await host.runtime.start(id, 1, signal);
    const command = ["sh", "-c", "id -un; env | grep -c SHELL=/bin/sh || cat /etc/passwd"];
    const answer = await askBox(host.runtime, address, { method: "POST", path: "/v1/exec" }, { command });
    expect(await text(answer)).toContain("user\\n");
    const made = await askBox(host.runtime, address, { method: "POST", path: "/v1/terminals" }, { cols: 80, rows: 24 });
    expect(JSON.parse(await text(made))).toMatchObject({ cols: 80, rows: 24 });
  });

  test("nothing is left when whoever sends breaks off", async () => {
    const before = (await readdir(await treesFolder())).toSorted();
    const breaking = Readable.from(
      (function* () {
        yield small.subarray(0, 500_000);
        throw new Error("gone");
      })(),
    );
    await expect(host.client.upload("template.unpack", { largestBytes }, breaking, signal)).rejects.toThrow();
    await expect.poll(async () => (await readdir(await treesFolder())).toSorted()).toEqual(before);
  });

  test("an image with a damaged layer is refused", async () => {
    const image = await imageOf(path.join(folder, "damaged"), [{ bytes: gzipSync(small), type: "tar+gzip" }], {});
    const at = image.indexOf(Buffer.from([0x1f, 0x8b]));
    image[at + 1000] = (image[at + 1000] ?? 0) ^ 0xff;
    await expect(unpack(image)).rejects.toMatchObject({ message: expect.stringContaining("is damaged") });
  });
});
