import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inProject } from "../tools/project.ts";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";
import { makeSmallRoot, tarOf } from "./fixtures/root-archives.ts";

const execute = promisify(execFile);
let alcove: TestAlcove;
let folder: string;
beforeAll(async () => {
  alcove = await startTestAlcove({});
  folder = await mkdtemp(path.join(tmpdir(), "alcove-templates-"));
});
afterAll(async () => {
  await alcove[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const run = async (workspace: string, script: string) =>
  (await alcove.plane.client.workspaces.execAndWait(workspace, { command: ["bash", "-c", script] })).stdout;
const settled = async (workspace: string) => {
  const { client } = alcove.plane;
  await expect
    .poll(async () => (await client.workspaces.get(workspace)).state, { timeout: 200_000, interval: 250 })
    .not.toBe("creating");
  return client.workspaces.get(workspace);
};
const builtTrees = async () =>
  (await readdir(path.join(alcove.data, "pool", "templates"))).filter((name) => /^[0-9a-f]{16}$/.test(name));

test("the catalogue is listed with versions, start command and ports before anything is built", async () => {
  const { items } = await alcove.plane.client.templates.list();
  expect(items.map(({ name }) => name)).toEqual(["node", "python", "rust", "go", "full-stack"]);
  expect(items[0]).toMatchObject({ start: "npm run dev", ports: [3000, 5173], state: "missing", source: "catalogue" });
  expect(items[0]?.versions.map(({ version }) => version)).toEqual(["24", "22", "20"]);
});

test("an unknown template is refused with the names that are near", async () => {
  const { client } = alcove.plane;
  await expect(client.workspaces.create({ template: "nodee" })).rejects.toMatchObject({
    code: "template_unknown",
    message: 'There is no template "nodee"; did you mean "node"?',
  });
  await expect(client.workspaces.create({ template: "node@19" })).rejects.toMatchObject({
    message: 'There is no "node@19"; there are "node@24", "node@22", "node@20".',
  });
});

test("two workspaces of a template that is not built wait for one build, which a kill of the host process does not stop for good; then both run over it", async () => {
  const { client } = alcove.plane;
  await client.templates.add({
    name: "small",
    packages: ["cowsay"],
    node: "22",
    start: "node server.js",
    ports: [4000],
  });
  const [one, other] = await Promise.all([
    client.workspaces.create({ name: "one", template: "small" }),
    client.workspaces.create({ name: "other", template: "small" }),
  ]);
  expect(one).toMatchObject({ state: "creating", template: "small", start: "node server.js", expectedPorts: [4000] });
  expect(other.state).toBe("creating");
  const why = async () => (await client.workspaces.get("one")).why;
  await expect
    .poll(why, { timeout: 200_000, interval: 100 })
    .toMatch(/^Waiting for its template\. Being built: \d+ %, /);
  await alcove.restartHost();
  expect(await settled("one")).toMatchObject({ state: "ready", rootfs: "template", error: null });
  expect(await settled("other")).toMatchObject({ state: "ready" });
  expect(await builtTrees()).toHaveLength(1);
  for (const name of ["one", "other"])
    expect(await run(name, "node --version; npm --version; test -x /usr/games/cowsay && echo cow; sudo id -u")).toMatch(
      /^v22\.23\.3\n11\.21\.2\ncow\n0\n$/,
    );
  const small = await client.templates.get("small");
  expect(small).toMatchObject({ state: "ready", workspaces: 2, source: "packages" });
  expect(small.versions[0]?.tools).toMatchObject({ node: "22.23.3", npm: "11.21.2", cowsay: "3.03" });
});

test("what is installed in a workspace stays its own, also over a stop, and a fork has it too", async () => {
  const { client } = alcove.plane;
  await run("one", "echo 'console.log(1)' | sudo tee /usr/local/bin/mine");
  await client.workspaces.stop("one");
  await client.workspaces.start("one");
  expect(await run("one", "node /usr/local/bin/mine")).toBe("1\n");
  expect(await run("other", "ls /usr/local/bin")).not.toContain("mine");
  const fork = await client.workspaces.fork("one", { name: "twin" });
  expect(fork).toMatchObject({ template: "small", start: "node server.js" });
  expect(await run("twin", "node /usr/local/bin/mine; node --version")).toBe("1\nv22.23.3\n");
});

test("a template that cannot be built fails its workspace with a sentence, and is built again when it is asked for", async () => {
  const { client } = alcove.plane;
  await client.templates.add({ name: "broken", packages: ["no-such-package-anywhere", "cow.+"] });
  await client.workspaces.create({ name: "unlucky", template: "broken" });
  expect(await settled("unlucky")).toMatchObject({
    state: "failed",
    error: { code: "template_build_failed", detail: expect.stringContaining("no-such-package-anywhere") },
  });
  expect(await client.templates.get("broken")).toMatchObject({ state: "failed" });
  expect(await client.templates.build("broken")).toMatchObject({ state: "building" });
  await expect(client.workspaces.start("unlucky")).rejects.toMatchObject({ code: "template_build_failed" });
  expect(await client.workspaces.get("unlucky")).toMatchObject({ state: "failed" });
  await client.workspaces.delete("unlucky");
});

test("a template in use is not deleted; afterwards it is, and a workspace of it cannot be made any more", async () => {
  const { client } = alcove.plane;
  await expect(client.templates.delete("small")).rejects.toMatchObject({
    code: "template_in_use",
    message: expect.stringContaining('"one"'),
  });
  await expect(client.templates.delete("node")).rejects.toMatchObject({ code: "not_allowed" });
  for (const name of ["one", "other", "twin"]) await client.workspaces.delete(name);
  await expect
    .poll(async () => (await client.workspaces.list()).items.length, { timeout: 30_000, interval: 200 })
    .toBe(0);
  await client.templates.delete("small");
  await expect(client.workspaces.create({ template: "small" })).rejects.toMatchObject({ code: "template_unknown" });
});

test("an image is no template that is ready where no Docker is, and no workspace begins with it", async () => {
  const { templates, workspaces } = alcove.plane.client;
  expect(await templates.add({ name: "pulled", image: "debian:12" })).toMatchObject({
    state: "failed",
    detail: expect.stringContaining("Docker"),
  });
  await expect(workspaces.create({ name: "early", template: "pulled" })).rejects.toMatchObject({
    code: "runtime_unavailable",
  });
  await templates.delete("pulled");
});

test("a root file system given on the command line is a template, and its workspaces run over it", async () => {
  const root = path.join(folder, "root");
  await makeSmallRoot(root);
  const archive = path.join(folder, "root.tar");
  await writeFile(archive, await tarOf(root));
  const env = { PATH: process.env["PATH"], HOME: folder, ALCOVE_KEY: alcove.secret, ALCOVE_URL: alcove.plane.address };
  const command = (...args: string[]) =>
    execute(process.execPath, [inProject("apps/cli/src/main.ts"), ...args], { env });
  const added = await command("template", "add", "tiny", "--archive", archive, "--start", "serve", "--port", "9000");
  expect(added).toMatchObject({ stdout: "tiny\n", stderr: "Boxes of it go without sudo, tmux, git.\n" });
  expect((await command("ws", "create", "tinybox", "--template", "tiny")).stdout).toBe("tinybox\n");
  expect(await settled("tinybox")).toMatchObject({ state: "ready", start: "serve", expectedPorts: [9000] });
  expect(await run("tinybox", "id -un; ls /usr/bin | wc -l 2>&1")).toContain("user\n");
  expect((await command("template", "ls")).stdout).toMatch(/^tiny +ready .* 9000 +serve$/m);
  await expect(command("template", "add", "tiny", "--archive", archive)).rejects.toMatchObject({
    stderr: expect.stringContaining("name_taken"),
  });
});

test("a server that is killed while a workspace waits for its template goes on waiting when it is back", async () => {
  await alcove.plane.client.templates.add({ name: "late", packages: ["figlet", "cowsay"] });
  await alcove.plane.client.workspaces.create({ name: "patient", template: "late" });
  await alcove.plane.kill();
  const plane = await alcove.startControlPlane();
  await expect
    .poll(() => plane.client.workspaces.get("patient"), { timeout: 60_000, interval: 250 })
    .toMatchObject({ state: "ready", rootfs: "template", error: null });
  await plane.stop();
});
