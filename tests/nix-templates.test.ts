import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { treeId } from "../packages/base/src/tree-id.ts";
import { inProject } from "../tools/project.ts";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";
import { startTestHost } from "./fixtures/host.ts";

const execute = promisify(execFile);

/** Programs of nothing but a shell, because no package archive of Nix is at hand. `builder` looks about while it builds. */
const workspaceNix = `
let
  make = name: script: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "/usr/bin/mkdir -p $out/bin; \${script}" ];
  };
  words = make "words" "echo hello from nix > $out/words";
  unused = make "unused" "echo \${words} > $out/other";
  greet = make "greet" ''
    printf '#!/bin/sh\\ncat \${words}/words\\n' > $out/bin/greet
    /usr/bin/chmod 755 $out/bin/greet
    read -r other < \${unused}/other
    { /usr/bin/id -u; /usr/bin/cat /proc/net/dev; touch /etc/mine || echo closed; /usr/bin/sudo -n true || echo no root; /usr/bin/cat /etc/resolv.conf; ls /home; for host in 127.0.0.1 10.0.2.2 169.254.169.254; do /usr/bin/timeout 2 /usr/bin/bash -c "echo > /dev/tcp/$host/@port@" && echo reached; done; } > $out/seen 2>&1
    (/usr/bin/sleep 1000 < /dev/null > /dev/null 2>&1 &)
  '';
in derivation { name = "nix-shell"; system = builtins.currentSystem; builder = "/bin/sh"; shellHook = ""; buildInputs = [ greet ]; }
`;
const flakeNix = `{
  outputs = { self }: {
    devShells.x86_64-linux.default = derivation {
      name = "tool";
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = [ "-c" "/usr/bin/mkdir -p $out/bin; printf '#!/bin/sh\\necho of a flake\\n' > $out/bin/tool; /usr/bin/chmod 755 $out/bin/tool" ];
    };
  };
}
`;
const brokenNix = `derivation { name = "no"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo the compiler says no; exit 3" ]; }`;

describe.skipIf(!existsSync("/usr/bin/nix-build"))("where Nix is installed", () => {
  let alcove: TestAlcove;
  let folder: string;
  beforeAll(async () => {
    alcove = await startTestAlcove({});
    folder = await mkdtemp(path.join(tmpdir(), "alcove-nix-"));
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
      .poll(async () => (await client.workspaces.get(workspace)).state, { timeout: 280_000, interval: 250 })
      .not.toBe("creating");
    return client.workspaces.get(workspace);
  };
  const trees = async () =>
    (await readdir(path.join(alcove.data, "pool", "templates"))).filter((name) => /^[0-9a-f]{16}/.test(name));
  /** What takes part in builds of this server, its networks included. */
  const partsOfBuilds = async () => {
    const instance = createHash("sha256")
      .update(await realpath(alcove.data))
      .digest("hex")
      .slice(0, 8);
    const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
    const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, "utf8").catch(() => "")));
    return pids.filter((_, index) => environments[index]?.includes(`ALCOVE_TEMPLATE_BUILD=${instance}`));
  };
  /** The builder tries to reach this server, too. */
  const lookingAbout = () => workspaceNix.replace("@port@", new URL(alcove.plane.address).port);
  const command = (...args: string[]) =>
    execute(process.execPath, [inProject("apps/cli/src/main.ts"), ...args], {
      env: { PATH: process.env["PATH"], HOME: folder, ALCOVE_KEY: alcove.secret, ALCOVE_URL: alcove.plane.address },
    });

  test("a workspace.nix given on the command line is built once, and its programs run in every box of it", async () => {
    const file = path.join(folder, "workspace.nix");
    await writeFile(file, lookingAbout());
    expect((await command("template", "add", "greeter", "--nix", file)).stdout).toBe("greeter\n");
    const { client } = alcove.plane;
    expect(await client.templates.get("greeter")).toMatchObject({ source: "nix", state: "missing" });
    await client.workspaces.create({ name: "one", template: "greeter" });
    expect(await settled("one")).toMatchObject({ state: "ready", rootfs: "template", error: null });
    expect(await run("one", "greet; bash -lc greet; sudo greet")).toBe("hello from nix\n".repeat(3));
    expect(await client.templates.get("greeter")).toMatchObject({ state: "ready" });

    await client.templates.add({ name: "again", nix: { file: "workspace.nix", text: lookingAbout() } });
    expect(await client.templates.get("again")).toMatchObject({ state: "ready" });
    await client.workspaces.create({ name: "two", template: "again" });
    expect(await settled("two")).toMatchObject({ state: "ready", error: null });
    expect(await run("two", "greet")).toBe("hello from nix\n");
    expect((await trees()).filter((name) => !name.endsWith(".json"))).toHaveLength(1);
  });

  test("the tree has what the programs need and nothing else of Nix, owned by root; the builder was a user without rights in a network of its own", async () => {
    const store = await run(
      "one",
      "ls /nix; ls /nix/store | cut -c34- | sort; stat -c %U /nix /nix/store /nix/store/*",
    );
    expect(store).toBe("profile\nstore\ngreet\nwords\nroot\nroot\nroot\nroot\n");
    const seen = await run("one", "cat /nix/store/*-greet/seen");
    expect(seen).toMatch(/^2147448112\n/);
    expect(seen).toMatch(/^ *tap0:/m);
    expect(seen).not.toContain("eth0");
    expect(seen).toContain(await run("one", "cat /etc/resolv.conf"));
    expect(seen).toContain("closed\n");
    expect(seen).toContain(`/dev/tcp/127.0.0.1/${new URL(alcove.plane.address).port}: Connection refused`);
    expect(seen).not.toContain("reached");
    expect(seen).toContain("no root\n");
    expect(await run("one", "ls /etc/mine 2>&1")).toContain("No such file");
    // Another server on this machine may build as the same user meanwhile.
    const left = () => execute("pgrep", ["-u", "2147448112"]).catch(({ stdout }: { stdout: string }) => ({ stdout }));
    await expect.poll(async () => (await left()).stdout, { timeout: 120_000 }).toBe("");
  });

  test("a flake.nix gives its default shell or package", async () => {
    const { client } = alcove.plane;
    await client.templates.add({ name: "flaky", nix: { file: "flake.nix", text: flakeNix } });
    await client.workspaces.create({ name: "three", template: "flaky" });
    expect(await settled("three")).toMatchObject({ state: "ready", error: null });
    expect(await run("three", "tool; command -v greet")).toBe("of a flake\n");
  });

  test("an expression that does not build fails its workspace with the end of Nix's words, and leaves nothing", async () => {
    const { client } = alcove.plane;
    const before = await trees();
    for (const [name, text, words] of [
      ["broken", brokenNix, "the compiler says no"],
      ["unread", "let in", "syntax error"],
      ["empty", "[ ]", "it names nothing to build"],
      ["secrets", 'builtins.readFile "/etc/shadow"', "denied"],
    ] as const) {
      await client.templates.add({ name, nix: { file: "workspace.nix", text } });
      await client.workspaces.create({ name, template: name });
      expect(await settled(name)).toMatchObject({
        state: "failed",
        error: { code: "template_build_failed", detail: expect.stringContaining(words) },
      });
    }
    expect(await trees()).toEqual(before);
  });

  test("a kill of the host process amid a build leaves nothing of it running, and the build is made again", async () => {
    const { client } = alcove.plane;
    const text = workspaceNix.replace("echo hello", "/usr/bin/sleep 4; echo slow hello");
    await client.templates.add({ name: "slow", nix: { file: "workspace.nix", text } });
    await client.workspaces.create({ name: "patient", template: "slow" });
    await expect
      .poll(async () => (await client.workspaces.get("patient")).why, { timeout: 60_000, interval: 50 })
      .toContain("building '/nix/store/");
    expect(await partsOfBuilds()).not.toEqual([]);
    await alcove.restartHost();
    expect(await settled("patient")).toMatchObject({ state: "ready", error: null });
    expect(await run("patient", "greet")).toBe("slow hello from nix\n");
    expect((await trees()).filter((name) => !/^[0-9a-f]{16}(?:\.json)?$/.test(name))).toEqual([]);
    expect(await partsOfBuilds()).toEqual([]);
  });
});

test("a host without Nix refuses to build an expression, with the command that mends it", async () => {
  await using host = await startTestHost({
    as: "root",
    ...(existsSync("/usr/bin/nix") ? { lacks: "/usr/bin/nix" } : {}),
  });
  const recipe = {
    packages: [],
    node: null,
    npm: [],
    nix: { file: "workspace.nix" as const, text: brokenNix },
  };
  const signal = new AbortController().signal;
  await expect(host.client.call("template.build", { tree: treeId(recipe), recipe }, signal)).rejects.toMatchObject({
    code: "template_unavailable",
    message: expect.stringContaining("apt-get install nix-bin"),
  });
  const tree = treeId(recipe);
  expect(await host.client.call("template.trees", { trees: [tree], nix: [tree] }, signal)).toMatchObject([
    { state: "missing", detail: expect.stringContaining("apt-get install nix-bin") },
  ]);
  expect(await host.client.call("template.nix", {}, signal)).toMatchObject({
    finding: { id: "nix", level: "missing", remedy: "apt-get install -y nix-bin" },
  });
});
