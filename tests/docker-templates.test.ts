import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inProject } from "../tools/project.ts";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";
import { startTestDocker } from "./fixtures/docker.ts";
import { makeSmallRoot, tarOf } from "./fixtures/root-archives.ts";

const execute = promisify(execFile);
const docker = await startTestDocker();

describe.skipIf(docker === undefined)("templates of Docker's images", () => {
  let alcove: TestAlcove;
  let folder: string;
  beforeAll(async () => {
    if (docker === undefined) return;
    folder = await mkdtemp(path.join(tmpdir(), "alcove-templates-"));
    await makeSmallRoot(path.join(folder, "root"), ["bash", "cat", "ls", "id", "env", "mkdir"]);
    await docker.image("test-small", path.join(folder, "root"));
    alcove = await startTestAlcove({ docker: docker.address });
  });
  afterAll(async () => {
    await alcove[Symbol.asyncDispose]();
    await docker?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const run = async (workspace: string, script: string) =>
    (await alcove.plane.client.workspaces.execAndWait(workspace, { command: ["sh", "-c", script] })).stdout;
  const made = async (name: string) => {
    const { client } = alcove.plane;
    await expect
      .poll(async () => (await client.workspaces.get(name)).state, { timeout: 60_000, interval: 200 })
      .not.toBe("creating");
    return client.workspaces.get(name);
  };

  test("an image by name", async () => {
    const { client } = alcove.plane;
    const added = await client.templates.add({ name: "by-name", image: "test-small" });
    expect(added).toMatchObject({ source: "image", state: "ready", runtimes: ["docker"] });
    await client.workspaces.create({ name: "one", template: "by-name" });
    expect(await made("one")).toMatchObject({ state: "ready", runtime: "docker", rootfs: "image", error: null });
    expect(await run("one", "id -u; ls /bin/cat")).toBe("1000\n/bin/cat\n");
    await expect(client.workspaces.create({ template: "by-name", runtime: "embedded" })).rejects.toMatchObject({
      code: "runtime_unavailable",
    });
  });

  test("a Dockerfile is built for the first workspace, and once", async () => {
    const { client } = alcove.plane;
    await client.templates.add({
      name: "own",
      dockerfile: "FROM test-small\nENV KIND=own\n",
      start: "serve",
      ports: [80],
    });
    expect(await client.templates.get("own")).toMatchObject({ state: "missing", source: "dockerfile" });
    await client.workspaces.create({ name: "two", template: "own" });
    expect(await made("two")).toMatchObject({ state: "ready", start: "serve", expectedPorts: [80] });
    expect(await run("two", "echo $KIND")).toBe("own\n");
    expect(await client.templates.get("own")).toMatchObject({ state: "ready", workspaces: 1 });
  });

  test("a root file system that was given runs on Docker too", async () => {
    const { client } = alcove.plane;
    const archive = new Blob([new Uint8Array(await tarOf(path.join(folder, "root")))]);
    const added = await client.templates.upload({ name: "given", start: "serve" }, archive);
    expect(added).toMatchObject({ source: "tar", state: "ready", runtimes: ["embedded", "docker"] });
    await client.workspaces.create({ name: "five", template: "given", runtime: "docker" });
    expect(await made("five")).toMatchObject({ state: "ready", runtime: "docker", rootfs: "template" });
    expect(await run("five", "id -un; ls /bin/cat")).toBe("user\n/bin/cat\n");
  });

  test("a Dockerfile that fails says why, on the template and on the workspace", async () => {
    const { client } = alcove.plane;
    await client.templates.add({ name: "wrong", dockerfile: "FROM test-small\nCOPY missing /there\n" });
    await client.workspaces.create({ name: "three", template: "wrong" });
    expect(await made("three")).toMatchObject({
      state: "failed",
      error: { code: "image_build_failed", detail: expect.stringContaining("missing") },
    });
    expect(await client.templates.get("wrong")).toMatchObject({ state: "failed" });
    await expect(client.workspaces.start("three")).rejects.toMatchObject({ code: "image_build_failed" });
  });

  test("a folder with a devcontainer.json, on the command line: built with its files, variables set, commands run once and at each start", async () => {
    const project = path.join(folder, "project");
    await mkdir(path.join(project, ".devcontainer"), { recursive: true });
    const written = {
      name: "Shop",
      build: { dockerfile: "Dockerfile", args: { WHO: "shop" } },
      containerEnv: { PLACE: "${containerWorkspaceFolder}" },
      forwardPorts: [3000],
      postCreateCommand: "echo created >> log",
      postStartCommand: "echo started >> log",
    };
    await writeFile(path.join(project, ".devcontainer", "devcontainer.json"), `// Ours.\n${JSON.stringify(written)}`);
    await writeFile(path.join(project, ".devcontainer", "greeting"), "hello\n");
    await writeFile(
      path.join(project, ".devcontainer", "Dockerfile"),
      "FROM test-small\nARG WHO\nENV WHO=$WHO\nCOPY greeting /etc/greeting\n",
    );
    const env = {
      PATH: process.env["PATH"],
      HOME: folder,
      ALCOVE_KEY: alcove.secret,
      ALCOVE_URL: alcove.plane.address,
    };
    const command = [inProject("apps/cli/src/main.ts"), "template", "add", "shop", "--devcontainer", project];
    expect((await execute(process.execPath, command, { env })).stdout).toBe("shop\n");
    const { client } = alcove.plane;
    await client.workspaces.create({ name: "four", template: "shop" });
    expect(await made("four")).toMatchObject({ state: "ready", expectedPorts: [3000] });
    expect(await run("four", "cat /etc/greeting; echo $WHO $PLACE")).toBe("hello\nshop /workspace/user/projects\n");
    const log = () => run("four", "cat /workspace/user/projects/log");
    await expect.poll(log, { timeout: 15_000 }).toBe("created\nstarted\n");
    await client.workspaces.stop("four");
    await client.workspaces.start("four");
    await expect.poll(log, { timeout: 15_000 }).toBe("created\nstarted\nstarted\n");
  });

  test("what a devcontainer.json asks for and a box cannot be is refused by the name of the field", async () => {
    const { client } = alcove.plane;
    const devcontainer = '{ "image": "test-small", "features": { "ghcr.io/devcontainers/features/go:1": {} } }';
    await expect(client.templates.add({ name: "no", devcontainer })).rejects.toMatchObject({
      code: "template_invalid",
      message: expect.stringContaining('"features"'),
    });
    await expect(client.templates.add({ name: "no", image: "a", dockerfile: "FROM a" })).rejects.toMatchObject({
      code: "bad_request",
    });
  });

  test("the server is stopped and started: a template that was built is still known as built", async () => {
    await alcove.plane.kill();
    const plane = await alcove.startControlPlane();
    expect(await plane.client.templates.get("own")).toMatchObject({ state: "ready" });
    await plane.stop();
  });
});
