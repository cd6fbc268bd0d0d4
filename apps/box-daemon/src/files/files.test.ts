import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Listing } from "@alcove/contract/api/workspace";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDaemon, type TestDaemon } from "../testing/start-daemon.ts";

let daemon: TestDaemon;
let outside: string;
beforeAll(async () => {
  daemon = await startDaemon();
  outside = join(daemon.root, "../outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "secret"), "secret");
});
afterAll(() => daemon[Symbol.asyncDispose]());

const inside = (path: string) => join(daemon.root, path);
const file = (method: string, path: string, more?: Parameters<TestDaemon["call"]>[2]) =>
  daemon.call(method, `/v1/files/${path}`, more);
const code = (answer: Awaited<ReturnType<typeof file>>) => answer.json<{ code: string }>().code;

test("a file comes back as it was written", async () => {
  const bytes = Buffer.from([0, 255, 10, 13, 128]);
  expect((await file("PUT", "user/a.bin", { body: bytes })).status).toBe(201);
  const read = await file("GET", "user/a.bin");
  expect(read.body).toEqual(bytes);
  expect((await file("HEAD", "user/a.bin")).headers["content-length"]).toBe("5");
  expect((await file("PUT", "user/a.bin", { body: "" })).status).toBe(200);
  expect((await file("GET", "user/a.bin")).body.length).toBe(0);
});

test("a large file streams both ways", async () => {
  const bytes = Buffer.alloc(40 * 2 ** 20, "0123456789");
  expect((await file("PUT", "user/large", { body: bytes })).status).toBe(201);
  expect((await file("GET", "user/large")).body.equals(bytes)).toBe(true);
});

test("a range gives its bytes, and one behind the end is refused", async () => {
  await file("PUT", "user/range", { body: "0123456789" });
  const range = async (value: string) => file("GET", "user/range", { headers: { range: value } });
  expect((await range("bytes=2-4")).body.toString()).toBe("234");
  expect((await range("bytes=7-")).body.toString()).toBe("789");
  const tail = await range("bytes=-2");
  expect([tail.status, tail.body.toString(), tail.headers["content-range"]]).toEqual([206, "89", "bytes 8-9/10"]);
  expect((await range("bytes=10-")).status).toBe(416);
});

test("a write against an old version is refused, and so is creating over something", async () => {
  const { etag } = (await file("PUT", "user/tagged", { body: "one" })).headers;
  const headers = { "if-match": String(etag) };
  expect((await file("PUT", "user/tagged", { body: "two", headers })).status).toBe(200);
  expect(code(await file("PUT", "user/tagged", { body: "three", headers }))).toBe("file_changed");
  expect(code(await file("PUT", "user/tagged", { body: "four", headers: { "if-none-match": "*" } }))).toBe(
    "file_exists",
  );
  expect(readFileSync(inside("user/tagged"), "utf8")).toBe("two");
  const read = await file("GET", "user/tagged");
  expect((await file("GET", "user/tagged", { headers: { "if-none-match": String(read.headers.etag) } })).status).toBe(
    304,
  );
});

test("a write keeps the mode and leaves no draft", async () => {
  mkdirSync(inside("user/kept"));
  writeFileSync(inside("user/kept/run.sh"), "old");
  chmodSync(inside("user/kept/run.sh"), 0o751);
  await file("PUT", "user/kept/run.sh", { body: "new" });
  expect(statSync(inside("user/kept/run.sh")).mode & 0o777).toBe(0o751);
  expect(readdirSync(inside("user/kept"))).toEqual(["run.sh"]);
});

test("an upload that breaks off changes nothing", async () => {
  mkdirSync(inside("user/broken"));
  writeFileSync(inside("user/broken/file"), "old");
  const socket = daemon.dial();
  socket.write("PUT /v1/files/user/broken/file HTTP/1.1\r\nhost: box\r\ncontent-length: 1000000\r\n\r\npart");
  while (readdirSync(inside("user/broken")).length === 1) await daemon.call("GET", "/v1/health");
  socket.destroy();
  while (readdirSync(inside("user/broken")).length > 1) await daemon.call("GET", "/v1/health");
  expect(readFileSync(inside("user/broken/file"), "utf8")).toBe("old");
});

test("missing parents are made only when asked for", async () => {
  expect(code(await file("PUT", "user/deep/er/file", { body: "x" }))).toBe("file_not_found");
  expect((await file("PUT", "user/deep/er/file?parents=true", { body: "x" })).status).toBe(201);
  expect((await file("PUT", "user/deep/folder?folder=true")).status).toBe(201);
  expect(code(await file("PUT", "user/deep/folder?folder=true"))).toBe("file_exists");
  expect(code(await file("PUT", "user/deep/folder", { body: "x" }))).toBe("is_folder");
  expect(code(await file("PUT", "user/deep/er/file/below", { body: "x" }))).toBe("not_a_folder");
});

test("a name of any bytes is listed, read, moved and deleted", async () => {
  mkdirSync(inside("user/bytes"));
  expect((await file("PUT", "user/bytes/%ff%80%0a%22", { body: "odd" })).status).toBe(201);
  const { items } = (await file("GET", "user/bytes")).json<Listing>();
  expect(items).toEqual([expect.objectContaining({ kind: "file", size: 3, encodedName: "%ff%80%0a%22" })]);
  expect((await file("GET", `user/bytes/${items[0]?.encodedName}`)).body.toString()).toBe("odd");
  expect((await file("DELETE", "user/bytes/%ff%80%0a%22")).status).toBe(204);
  expect(readdirSync(inside("user/bytes"))).toEqual([]);
});

test("folders are deleted as a whole only when asked for, whatever their depth, and links in them are not followed", async () => {
  await file("PUT", `user/tree/${"d/".repeat(500)}file?parents=true`, { body: "x" });
  symlinkSync(outside, inside("user/tree/link"));
  expect(code(await file("DELETE", "user/tree"))).toBe("folder_not_empty");
  expect((await file("DELETE", "user/tree?recursive=true")).status).toBe(204);
  expect(existsSync(inside("user/tree"))).toBe(false);
  expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
});

test("a move does not replace what is there unless told to", async () => {
  await file("PUT", "user/from", { body: "from" });
  await file("PUT", "user/to", { body: "to" });
  const move = (body: object) => daemon.call("POST", "/v1/files:move", { body });
  expect((await move({ from: "user/from", to: "user/to" })).json()).toMatchObject({ code: "file_exists" });
  expect((await move({ from: "user/from", to: "user/to", replace: true })).status).toBe(200);
  expect(readFileSync(inside("user/to"), "utf8")).toBe("from");
  expect((await move({ from: "user", to: "user/below" })).json()).toMatchObject({ code: "path_invalid" });
  expect((await move({ from: "../outside/secret", to: "user/x" })).json()).toMatchObject({ code: "path_outside" });
  expect((await move({ from: "user/to", to: "/etc/x" })).json()).toMatchObject({ code: "path_outside" });
});

test.each([
  ["user/%2e%2e%2f%2e%2e%2foutside%2fsecret", "path_outside"],
  ["/etc/passwd", "path_outside"],
  ["user/%00", "path_invalid"],
  ["user/%zz", "path_invalid"],
  [`user/${"a".repeat(256)}`, "path_invalid"],
  [`user/${"a/".repeat(3000)}`, "path_invalid"],
])("the path %.60s is refused", async (path, expected) => {
  expect(code(await file("GET", path))).toBe(expected);
  expect(code(await file("PUT", path, { body: "x" }))).toBe(expected);
  expect(code(await file("DELETE", path))).toBe(expected);
});

test("dots in a URL never lead out", async () => {
  for (const path of ["../../../etc/passwd", "user/../../outside/secret", "%2e%2e/%2e%2e/outside/secret"]) {
    const answer = await file("GET", path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body.toString()).not.toContain("secret\n");
  }
});

test("links that stay inside are followed, links that leave are not", async () => {
  mkdirSync(inside("user/links/target"), { recursive: true });
  writeFileSync(inside("user/links/target/file"), "inside");
  symlinkSync("target", inside("user/links/relative"));
  symlinkSync(inside("user/links/target"), inside("user/links/absolute"));
  symlinkSync("../links/./target/file", inside("user/links/dots"));
  symlinkSync(outside, inside("user/links/out"));
  symlinkSync("../../../outside", inside("user/links/outwards"));
  symlinkSync("loop", inside("user/links/loop"));
  expect((await file("GET", "user/links/relative/file")).body.toString()).toBe("inside");
  expect((await file("GET", "user/links/absolute/file")).body.toString()).toBe("inside");
  expect((await file("GET", "user/links/dots")).body.toString()).toBe("inside");
  for (const path of ["out/secret", "outwards/secret", "out", "outwards"]) {
    expect(code(await file("GET", `user/links/${path}`))).toBe("path_outside");
    expect(code(await file("PUT", `user/links/${path}`, { body: "x" }))).toBe("path_outside");
  }
  expect(code(await file("GET", "user/links/loop"))).toBe("path_invalid");
  expect((await file("DELETE", "user/links/out")).status).toBe(204);
  expect((await file("PUT", "user/links/dots", { body: "through" })).status).toBe(200);
  expect(readFileSync(inside("user/links/target/file"), "utf8")).toBe("through");
  expect(readdirSync(outside)).toEqual(["secret"]);
});

test("a folder that is swapped for a link all the time never gives or takes a byte outside", async () => {
  mkdirSync(inside("user/race/real"), { recursive: true });
  writeFileSync(inside("user/race/real/secret"), "harmless");
  symlinkSync(outside, inside("user/race/evil"));
  const swap = `
    const { renameSync } = require("node:fs");
    process.chdir(${JSON.stringify(inside("user/race"))});
    process.stdout.write("ready");
    for (;;) {
      renameSync("real", "kept"); renameSync("evil", "real");
      renameSync("real", "evil"); renameSync("kept", "real");
    }`;
  const racer = spawn(process.execPath, ["-e", swap], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(racer.stdout, "data");
    const seen = new Set<string>();
    for (let round = 0; round < 400; round++) {
      const read = await file("GET", "user/race/real/secret");
      seen.add(read.status === 200 ? read.body.toString() : code(read));
      await file("PUT", `user/race/real/new-${round}`, { body: "x" });
      await file("DELETE", `user/race/real/new-${round - 1}`);
      await daemon.call("POST", "/v1/files:move", {
        body: { from: `user/race/real/new-${round}`, to: "user/race/real/moved", replace: true },
      });
    }
    expect([...seen].filter((text) => !["harmless", "path_outside", "file_not_found"].includes(text))).toEqual([]);
    expect(seen).toContain("path_outside");
    expect(readdirSync(outside)).toEqual(["secret"]);
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
  } finally {
    racer.kill("SIGKILL");
    await once(racer, "exit");
    rmSync(inside("user/race"), { recursive: true });
  }
}, 60_000);

test("a pipe or a device is not opened", async () => {
  const made = spawn("mkfifo", [inside("user/pipe")]);
  await once(made, "exit");
  expect(code(await file("GET", "user/pipe"))).toBe("file_forbidden");
});

test("a folder comes down as an archive", async () => {
  await file("PUT", "user/packed/in/file.txt?parents=true", { body: "packed" });
  const archive = await daemon.call("GET", "/v1/archive/user/packed");
  const tar = spawn("tar", ["-xzO", "./in/file.txt"], { stdio: ["pipe", "pipe", "inherit"] });
  tar.stdin.end(archive.body);
  const [text] = await once(tar.stdout, "data");
  expect(String(text)).toBe("packed");
});
