import { existsSync } from "node:fs";
import { cp } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { runInBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import { treeId } from "../../packages/base/src/tree-id.ts";
import { newId } from "../../packages/contract/src/ids.ts";
import { inProject, packageVersion } from "../../tools/project.ts";
import { putBoxNpm } from "../../tools/start/box-npm.ts";
import { startAhead } from "../fixtures/ahead.ts";
import { startTestHost, type TestHost } from "../fixtures/host.ts";

const greeter = `derivation {
  name = "greet";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "-c" "/usr/bin/mkdir -p $out/bin; printf '#!/bin/sh\\necho hello\\n' > $out/bin/greet; /usr/bin/chmod 755 $out/bin/greet; /usr/bin/grep -E '^(CapBnd|NoNewPrivs)' /proc/self/status > $out/seen" ];
}`;
const signal = new AbortController().signal;
const npmVersion = await packageVersion(inProject("node_modules", "npm"));

/** A package for each of apt, npm and pip, made here, and installed as people do. */
const installEachWay = String.raw`set -e
mkdir -p deb/DEBIAN deb/usr/bin npm
printf 'Package: by-apt\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <nobody@example.com>\nDescription: One\n' > deb/DEBIAN/control
printf '#!/bin/sh\necho apt\n' > deb/usr/bin/by-apt
chmod 755 deb/usr/bin/by-apt
dpkg-deb --build deb by-apt.deb
sudo apt-get install -y ./by-apt.deb
echo '{ "name": "by-npm", "version": "1.0.0", "bin": "run.js" }' > npm/package.json
printf '#!/usr/bin/env node\nconsole.log("npm")\n' > npm/run.js
npm i -g --offline "$(npm pack --silent ./npm)"
python3 - <<'END'
import zipfile
with zipfile.ZipFile("by_pip-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("by_pip.py", "def main():\n    print('pip')\n")
    wheel.writestr("by_pip-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: by-pip\nVersion: 1.0\n")
    wheel.writestr("by_pip-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr("by_pip-1.0.dist-info/entry_points.txt", "[console_scripts]\nby-pip = by_pip:main\n")
    wheel.writestr("by_pip-1.0.dist-info/RECORD", "by_pip.py,,\n")
END
pip install --no-index ./by_pip-1.0-py3-none-any.whl`;

/** A new workspace over the usual root file system, in a box whose daemon began before it was there. */
async function useOneMadeAhead(host: TestHost): Promise<void> {
  const id = await startAhead(host);
  const box = await host.runtime.inspect(id, signal);
  if (box.state !== "running") throw new Error(`the box is ${box.state}`);
  expect(box.rootfs).toBe("template");
  const { stdout } = await runInBox(host.runtime, box.address, "sudo id -u; echo mine | sudo tee /etc/mine; tmux -V");
  expect(stdout).toMatch(/^0\nmine\ntmux /);
  await host.runtime.destroy(id, signal);
  await host.volumes.destroy(id, signal);
}

test.each(["root", "ordinary user"] as const)(
  "as %s the first box runs over the host at once; when the template is built, the next start has it, with root rights and packages",
  async (as) => {
    await using host = await startTestHost({ as, template: true, spareBoxes: as === "root" ? 1 : 0 });
    const node = path.join(host.data, "opt", "node");
    await cp(process.execPath, path.join(node, "bin", "node"));
    await putBoxNpm(node, inProject("node_modules", "npm"));
    const id = newId("workspace");
    await host.volumes.create(id, signal);
    await host.runtime.create({ workspace: id, name: "blog" }, signal);
    const early = await host.runtime.start(id, 1, signal);
    expect(await host.runtime.inspect(id, signal)).toMatchObject({ rootfs: "host" });
    await runInBox(host.runtime, early, "echo kept > a");

    await host.restart();
    const status = async () => (await host.runtime.capabilities(signal)).template.state;
    await expect.poll(status, { timeout: 280_000, interval: 500 }).toBe("ready");
    if (as === "root") await useOneMadeAhead(host);
    const address = await host.runtime.start(id, 2, signal);
    expect(await host.runtime.inspect(id, signal)).toMatchObject({ rootfs: "template" });
    const { stdout } = await runInBox(
      host.runtime,
      address,
      "cat a; sudo id -u; for tool in git curl tmux python3 rg ps less nano ssh make; do command -v $tool > /dev/null || echo no $tool; done; echo 1 | sudo tee /usr/local/bin/mine > /dev/null; test -s /etc/ssl/certs/ca-certificates.crt && echo certificates",
    );
    expect(stdout).toBe("kept\n0\ncertificates\n");

    const sayNode = 'echo "$(node --version) $(npm --version)"';
    const versions = await runInBox(
      host.runtime,
      address,
      `${sayNode}; sudo sh -c '${sayNode}'; bash -lc '${sayNode}'`,
    );
    expect(versions.stdout).toBe(`${process.version} ${npmVersion}\n`.repeat(3));
    expect(await runInBox(host.runtime, address, installEachWay)).toMatchObject({ exitCode: 0 });
    expect((await runInBox(host.runtime, address, "by-apt; by-npm; by-pip")).stdout).toBe("apt\nnpm\npip\n");

    const snapshot = newId("snapshot");
    await host.volumes.snapshot(id, snapshot, signal);
    const fork = newId("workspace");
    await host.volumes.fork(id, snapshot, fork, signal);
    await host.runtime.create({ workspace: fork, name: "fork" }, signal);
    const forked = await host.runtime.start(fork, 1, signal);
    expect((await runInBox(host.runtime, forked, "cat /usr/local/bin/mine; sudo id -u")).stdout).toBe("1\n0\n");

    const recipe = { packages: ["cowsay"], node: { version: "22.23.3", npm: "11.21.2" }, npm: [] };
    const tree = treeId(recipe);
    const wrong = host.client.call("template.build", { tree: "0".repeat(16), recipe }, signal);
    await expect(wrong).rejects.toMatchObject({ code: "bad_request" });
    expect(await host.client.call("template.build", { tree, recipe }, signal)).toMatchObject({ state: "building" });
    const look = async () => (await host.client.call("template.trees", { trees: [tree] }, signal))[0];
    await expect
      .poll(look, { timeout: 120_000, interval: 200 })
      .toMatchObject({ state: "ready", tools: { node: "22.23.3", cowsay: "3.03" } });
    const other = newId("workspace");
    await host.volumes.create(other, signal);
    await host.runtime.create({ workspace: other, name: "cow", template: tree }, signal);
    const over = await host.runtime.start(other, 1, signal);
    const said = await runInBox(
      host.runtime,
      over,
      "node --version; sudo npm --version; /usr/games/cowsay moo | grep -c moo; sudo id -u; stat -c %U /usr/local/bin/node /usr/games/cowsay /etc",
    );
    expect(said.stdout).toBe("v22.23.3\n11.21.2\n1\n0\nroot\nroot\nroot\n");

    const installed = await runInBox(host.runtime, over, installEachWay);
    expect(installed).toMatchObject({ exitCode: 0 });
    await host.runtime.stop(other, 1, signal);
    const again = await host.runtime.start(other, 2, signal);
    expect((await runInBox(host.runtime, again, "by-apt; by-npm; by-pip")).stdout).toBe("apt\nnpm\npip\n");

    if (!existsSync("/usr/bin/nix-build")) return;
    const ofNix = { packages: [], node: null, npm: [], nix: { file: "workspace.nix" as const, text: greeter } };
    const nixTree = treeId(ofNix);
    await host.client.call("template.build", { tree: nixTree, recipe: ofNix }, signal);
    await expect
      .poll(async () => (await host.client.call("template.trees", { trees: [nixTree] }, signal))[0], {
        timeout: 60_000,
        interval: 200,
      })
      .toMatchObject({ state: "ready" });
    const third = newId("workspace");
    await host.volumes.create(third, signal);
    await host.runtime.create({ workspace: third, name: "nix", template: nixTree }, signal);
    const overNix = await host.runtime.start(third, 1, signal);
    const greeted = await runInBox(host.runtime, overNix, "sudo greet; bash -lc greet; cat /nix/store/*-greet/seen");
    expect(greeted.stdout).toMatch(/^hello\nhello\nCapBnd:\t0+\nNoNewPrivs:\t1\n$/);
  },
);

test("a host that has nothing to build with refuses to, with the command that mends it", async () => {
  await using host = await startTestHost({ as: "root", lacks: "/usr/bin/mmdebstrap" });
  const recipe = { packages: ["cowsay"], node: null, npm: [] };
  const tree = treeId(recipe);
  await expect(host.client.call("template.build", { tree, recipe }, signal)).rejects.toMatchObject({
    code: "template_unavailable",
    message: expect.stringContaining("apt-get install mmdebstrap"),
  });
  expect(await host.client.call("template.trees", { trees: [tree] }, signal)).toMatchObject([
    { state: "missing", detail: expect.stringContaining("apt-get install mmdebstrap") },
  ]);
});
