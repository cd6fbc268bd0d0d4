import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";
import { startTestDocker } from "./fixtures/docker.ts";

const docker = await startTestDocker();

describe.skipIf(docker === undefined)("a whole server with Docker", () => {
  let alcove: TestAlcove;
  beforeAll(async () => {
    if (docker !== undefined) alcove = await startTestAlcove({ docker: docker.address });
  });
  afterAll(async () => {
    await alcove[Symbol.asyncDispose]();
    await docker?.[Symbol.asyncDispose]();
  });
  const workspaces = () => alcove.plane.client.workspaces;
  const run = async (workspace: string, script: string): Promise<string> =>
    (await workspaces().execAndWait(workspace, { command: ["bash", "-c", script] })).stdout;

  test("a workspace on Docker runs a command and a terminal, keeps its log, sleeps and wakes", async () => {
    expect(await workspaces().create({ name: "boat", runtime: "docker" })).toMatchObject({ runtime: "docker" });
    expect(await workspaces().start("boat")).toMatchObject({ state: "ready", box: "running" });
    expect(await run("boat", "id -u; hostname; echo kept > kept")).toBe("1000\nboat\n");
    const { client } = alcove.plane;
    const terminal = await client.terminals.create("boat");
    let seen = "";
    using line = client.terminals.attach("boat", terminal.id, {
      size: { cols: 80, rows: 24 },
      onOutput: (bytes) => void (seen += new TextDecoder().decode(bytes)),
      onReset: () => undefined,
      onExit: () => undefined,
    });
    await expect.poll(() => seen, { timeout: 10_000 }).not.toBe("");
    line.send(new TextEncoder().encode("echo fo''und\n"));
    await expect.poll(() => seen, { timeout: 10_000 }).toContain("found");
    const { id } = await workspaces().get("boat");
    expect(await (await fetchLog(id)).text()).toContain(id);
    await workspaces().stop("boat");
    expect(await (await fetchLog(id)).text()).toContain(id);
    expect(await run("boat", "cat kept")).toBe("kept\n");
  });

  test("a fork and a restored snapshot of it are on Docker too", async () => {
    const snapshot = await workspaces().takeSnapshot("boat", { name: "before" });
    await run("boat", "echo changed > kept");
    expect(await workspaces().fork("boat", { name: "boat-2", snapshot: snapshot.id })).toMatchObject({
      runtime: "docker",
    });
    expect(await run("boat-2", "cat kept")).toBe("kept\n");
    await workspaces().restore("boat", snapshot.id);
    expect(await run("boat", "cat kept")).toBe("kept\n");
  });

  test("the doctor names Docker, and a restart of the host process finds its boxes", async () => {
    const system = await fetchSystem();
    expect(system.findings).toContainEqual(expect.objectContaining({ id: "docker", level: "ok" }));
    await run("boat", "echo here > /tmp/here");
    await alcove.restartHost();
    expect(await run("boat", "cat /tmp/here")).toBe("here\n");
  });

  test("without Docker a workspace on it is refused with the runtimes that there are", async () => {
    await docker?.kill();
    await expect(workspaces().create({ name: "late", runtime: "docker" })).rejects.toMatchObject({
      code: "runtime_unavailable",
      message: expect.stringContaining('This server has "embedded"'),
      hint: "Run `systemctl restart docker` on the server.",
    });
    await workspaces().create({ name: "embedded" });
    expect(await run("embedded", "echo fine")).toBe("fine\n");
    await docker?.start();
    await workspaces().create({ name: "late", runtime: "docker" });
    expect(await run("late", "echo fine")).toBe("fine\n");
  });

  test("all are deleted whole", async () => {
    for (const { name } of (await workspaces().list()).items) await workspaces().delete(name);
    await expect.poll(async () => (await workspaces().list()).items, { timeout: 20_000 }).toEqual([]);
    await expect.poll(() => docker?.docker("ps", "--all", "--quiet"), { timeout: 20_000 }).toBe("");
  });

  const headers = () => ({ authorization: `Bearer ${alcove.secret}` });
  const fetchLog = (id: string) => fetch(`${alcove.plane.address}/api/v1/workspaces/${id}/log`, { headers: headers() });
  const fetchSystem = async () =>
    (await fetch(`${alcove.plane.address}/api/v1/system`, { headers: headers() })).json() as Promise<{
      findings: object[];
    }>;
});
