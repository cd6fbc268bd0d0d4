import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";

const execute = promisify(execFile);
let alcove: TestAlcove;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "alcove-archives-"));
  alcove = await startTestAlcove({});
  await alcove.plane.client.workspaces.create({ name: "lab", limits: { memoryBytes: 2 ** 29 } });
  await alcove.plane.client.workspaces.start("lab");
});
afterAll(async () => {
  await alcove[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function run(workspace: string, script: string, { client } = alcove.plane): Promise<string> {
  const { stdout, stderr, exitCode } = await client.workspaces.execAndWait(workspace, {
    command: ["bash", "-c", script],
  });
  if (exitCode !== 0) throw new Error(`${script} ended with ${exitCode}: ${stderr}`);
  return stdout;
}

const file = "user/projects/notes.md";

test("snapshots form a tree: each comes from the one before, and from the one that was gone back to", async () => {
  const { workspaces } = alcove.plane.client;
  await run("lab", "echo one > notes.md");
  const first = await workspaces.takeSnapshot("lab", { name: "one" });
  await run("lab", "echo two > notes.md");
  const second = await workspaces.takeSnapshot("lab", { name: "two" });
  expect(second.parent).toBe(first.id);

  const { workspace, safety } = await workspaces.restore("lab", first.id);
  expect(workspace).toMatchObject({ state: "ready", box: "running" });
  expect(await run("lab", "cat notes.md")).toBe("one\n");
  expect(safety.parent).toBe(second.id);
  await run("lab", "echo three > notes.md");
  const third = await workspaces.takeSnapshot("lab", { name: "three" });
  expect(third.parent).toBe(first.id);

  await workspaces.restore("lab", safety.id);
  expect(await run("lab", "cat notes.md")).toBe("two\n");
});

test("what differs between two snapshots is listed, and shown for a text file", async () => {
  const { workspaces } = alcove.plane.client;
  const { items } = await workspaces.snapshots("lab");
  const id = (name: string) => items.find((snapshot) => snapshot.name === name)?.id ?? "";
  const changes = await workspaces.changes("lab", { from: id("one"), to: id("three") });
  expect(changes.items).toEqual([{ path: file, change: "modified", kind: "file", size: 6 }]);
  const shown = await workspaces.diff("lab", { from: id("one"), to: id("three"), path: file });
  expect(shown.diff).toContain("-one\n+three\n");
  const old = await workspaces.readSnapshotFile("lab", id("one"), file);
  expect(await old.text()).toBe("one\n");
  for (const way of ["user/projects/..%2f..%2f..%2f..%2fetc/passwd", "user/projects/link/passwd", "etc/passwd"])
    await expect(workspaces.readSnapshotFile("lab", id("one"), decodeURIComponent(way))).rejects.toMatchObject({
      code: expect.stringMatching(/not_found|bad_request|path_invalid/),
    });
});

test("a snapshot in the middle is deleted, and what came from it stays and comes from its parent", async () => {
  const { workspaces } = alcove.plane.client;
  const before = (await workspaces.snapshots("lab")).items;
  const two = before.find(({ name }) => name === "two");
  const child = before.find(({ parent }) => parent === two?.id);
  await workspaces.deleteSnapshot("lab", two?.id ?? "");
  const after = (await workspaces.snapshots("lab")).items;
  expect(after.map(({ id }) => id)).not.toContain(two?.id);
  expect(after.find(({ id }) => id === child?.id)?.parent).toBe(two?.parent);
  await workspaces.restore("lab", child?.id ?? "");
  expect(await run("lab", "cat notes.md")).toBe("two\n");
  await expect(workspaces.deleteSnapshot("lab", two?.id ?? "")).rejects.toMatchObject({ code: "not_found" });
});

test("a name makes a snapshot stay, and can be taken away", async () => {
  const { workspaces } = alcove.plane.client;
  const unnamed = await workspaces.takeSnapshot("lab");
  expect((await workspaces.renameSnapshot("lab", unnamed.id, { name: "kept" })).name).toBe("kept");
  expect((await workspaces.renameSnapshot("lab", unnamed.id, { name: null })).name).toBeNull();
});

test("of snapshots that nobody named the newest stay, and what was there before going back is one of them", async () => {
  await using own = await startTestAlcove({ env: { ALCOVE_KEEP_SNAPSHOTS: "2", ALCOVE_KEEP_DAYS: "0" } });
  const { workspaces } = own.plane.client;
  await workspaces.create({ name: "tidy" });
  const named = await workspaces.takeSnapshot("tidy", { name: "named" });
  const { safety: renamed } = await workspaces.restore("tidy", named.id);
  await workspaces.renameSnapshot("tidy", renamed.id, { name: "mine now" });
  const { safety } = await workspaces.restore("tidy", named.id);
  expect(safety.name).toBe("Before going back to named");
  for (let count = 0; count < 3; count += 1) await workspaces.takeSnapshot("tidy");
  const all = (await workspaces.snapshots("tidy")).items.map(({ id }) => id);
  expect(all).toHaveLength(6);

  await own.plane.kill();
  const { client } = await own.startControlPlane();
  await expect
    .poll(async () => (await client.workspaces.snapshots("tidy")).items.map(({ id }) => id))
    .toEqual([...all.slice(0, 2), renamed.id, named.id]);
});

test("a fork of a workspace that is written to has its files, its limits and a life of its own", async () => {
  const { workspaces } = alcove.plane.client;
  const writing = run("lab", "for i in $(seq 1 200); do echo $i > file-$i; sleep 0.002; done");
  const fork = await workspaces.fork("lab", { name: "copy" });
  const lab = await workspaces.get("lab");
  expect(fork).toMatchObject({ limits: { memoryBytes: 2 ** 29 }, origin: { workspace: lab.id } });
  expect(await run("copy", "cat notes.md")).toBe("two\n");
  await writing;
  await run("copy", "echo mine > notes.md; rm -f file-1");
  expect(await run("lab", "cat notes.md; ls file-1")).toBe("two\nfile-1\n");

  const origin = fork.origin?.snapshot ?? "";
  const since = (await workspaces.changes("copy", { from: origin })).items.map(
    ({ change, path }) => `${change} ${path}`,
  );
  expect(since.filter((line) => !line.includes("file-"))).toEqual(["modified user/projects/notes.md"]);
  const here = await workspaces.takeSnapshot("lab");
  const there = await workspaces.takeSnapshot("copy");
  const apart = (await workspaces.changes("lab", { from: here.id, to: there.id })).items;
  expect(apart).toContainEqual(expect.objectContaining({ path: "user/projects/notes.md", change: "modified" }));
  expect(apart).toContainEqual(expect.objectContaining({ path: "user/projects/file-1", change: "deleted" }));
  const way = { from: here.id, to: there.id, path: "user/projects/notes.md" };
  expect((await workspaces.diff("lab", way)).diff).toContain("-two\n+mine\n");
  await expect(workspaces.diff("lab", { ...way, path: "notes.md" })).rejects.toMatchObject({ code: "file_not_found" });

  const again = await workspaces.create({ name: "third", from: fork.origin?.snapshot });
  expect(again.origin).toEqual(fork.origin);
  expect(await run("third", "cat notes.md")).toBe("two\n");
  await expect(workspaces.create({ from: "snap_00000000000000000000" })).rejects.toMatchObject({ code: "not_found" });
});

test("files go out as an archive and come in as a new workspace", async () => {
  const { workspaces } = alcove.plane.client;
  await run("lab", "ln -s /etc/passwd link; mkdir -p deep/er; echo x > 'deep/er/with space'");
  const archive = await fetch(workspaces.exportUrl("lab"), { headers: { authorization: `Bearer ${alcove.secret}` } });
  expect(archive.status).toBe(200);
  const bytes = new Uint8Array(await archive.arrayBuffer());
  await workspaces.import(bytes, { name: "again" });
  expect(await run("again", "cat notes.md; readlink link; cat 'deep/er/with space'")).toBe("two\n/etc/passwd\nx\n");
  expect(
    (await workspaces.snapshots("lab")).items.filter(({ name, run: ofRun }) => name === null && ofRun === null).length,
  ).toBeLessThan(4);
});

test("a download of all projects, or an archive of any folder, comes in as the projects of a new workspace", async () => {
  const { workspaces, files } = alcove.plane.client;
  const archive = await fetch(files.archiveUrl("lab", "user/projects"), {
    headers: { authorization: `Bearer ${alcove.secret}` },
  });
  await workspaces.import(new Uint8Array(await archive.arrayBuffer()), { name: "projects-only" });
  expect(await run("projects-only", "cat notes.md 'deep/er/with space'; ls /workspace/user")).toBe(
    "two\nx\nhome\nprojects\n",
  );
  const tar = path.join(folder, "site.tar");
  await mkdir(path.join(folder, "site"));
  await writeFile(path.join(folder, "site", "index.html"), "<p>");
  await execute("tar", ["-C", folder, "-cf", tar, "site"]);
  await workspaces.import(await readFile(tar), { name: "site" });
  expect(await run("site", "cat site/index.html; stat -c '%a %U' .")).toBe("<p>755 user\n");
});

test("no entry of an archive reaches outside, and what is no archive is refused and leaves nothing", async () => {
  const { workspaces } = alcove.plane.client;
  await mkdir(path.join(folder, "evil"));
  await symlink("/etc", path.join(folder, "evil", "way"));
  await writeFile(path.join(folder, "bad"), "bad");
  const tar = path.join(folder, "evil.tar");
  await execute("tar", [
    "-C",
    folder,
    "-cPf",
    tar,
    "evil/way",
    "--transform",
    "s,^bad,evil/way/alcove-was-here,",
    "bad",
  ]);
  await workspaces.import(await readFile(tar), { name: "evil" }).catch(() => undefined);
  await expect(readFile("/etc/alcove-was-here")).rejects.toThrow();
  await execute("tar", ["-C", folder, "-cPf", tar, "--transform", "s,^bad,../../../../tmp/alcove-was-here,", "bad"]);
  await workspaces.import(await readFile(tar), { name: "evil-2" }).catch(() => undefined);
  await expect(readFile("/tmp/alcove-was-here")).rejects.toThrow();
  await expect(workspaces.import(new TextEncoder().encode("not a tar"), { name: "broken" })).rejects.toMatchObject({
    code: "archive_invalid",
    message: expect.stringContaining("does not look like a tar archive"),
  });
  await expect.poll(async () => (await workspaces.list()).items.map(({ name }) => name)).not.toContain("broken");
});

test("folders that nobody may write to are imported as they are", async () => {
  const { workspaces } = alcove.plane.client;
  const tar = path.join(folder, "shut.tar");
  await mkdir(path.join(folder, "shut", "in"), { recursive: true });
  await writeFile(path.join(folder, "shut", "in", "file"), "kept");
  await execute("chmod", ["555", path.join(folder, "shut", "in"), path.join(folder, "shut")]);
  await execute("tar", ["-C", folder, "-cf", tar, "--transform", "s,^,projects/,", "shut"]);
  await workspaces.import(await readFile(tar), { name: "shut" });
  expect(await run("shut", "cat shut/in/file; stat -c %a shut/in; ls /workspace/system/backups")).toBe("kept555\n");
});

test("the server is killed in the middle of a restore and of a fork, and both can be had again", async () => {
  const { workspaces } = alcove.plane.client;
  const [target] = (await workspaces.snapshots("lab")).items.filter(({ name }) => name === "one");
  const broken = Promise.allSettled([
    workspaces.restore("lab", target?.id ?? ""),
    workspaces.fork("lab", { name: "late" }),
  ]);
  await alcove.plane.kill();
  await broken;
  const plane = await alcove.startControlPlane();
  const { workspaces: now } = plane.client;
  await now.restore("lab", target?.id ?? "");
  expect(await run("lab", "cat notes.md", plane)).toBe("one\n");
  if (!(await now.list()).items.some(({ name }) => name === "late")) await now.fork("lab", { name: "late" });
  expect(await run("late", "cat notes.md | wc -l", plane)).toBe("1\n");
});

test("the server is killed in the middle of an import: nothing is left of it, and the name is free again", async () => {
  const [killed, other] = [await alcove.startControlPlane(), await alcove.startControlPlane()];
  // It begins, and its end does not come.
  const cut = new ReadableStream<Uint8Array>({ start: (body) => body.enqueue(new Uint8Array(65_536)) });
  const half = fetch(`${killed.address}/api/v1/workspaces/import?name=half`, {
    method: "POST",
    headers: { authorization: `Bearer ${alcove.secret}` },
    body: cut,
    duplex: "half",
  }).catch(() => "broken off");
  const names = async () => (await other.client.workspaces.list()).items.map(({ name }) => name);
  await expect.poll(names).toContain("half");
  await killed.kill();
  expect(await half).toBe("broken off");
  await expect.poll(names, { timeout: 20_000 }).not.toContain("half");
  await other.client.workspaces.create({ name: "half" });
  expect(await run("half", "ls -A", other)).toBe("");
});
