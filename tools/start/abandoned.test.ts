import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { abandonedProcesses } from "./abandoned.ts";

test("what runs from a data directory is found, the control plane first, and nothing else", async () => {
  const base = await mkdtemp(join(tmpdir(), "alcove-abandoned-"));
  const children = [];
  try {
    const program = "console.log('up'); setInterval(() => {}, 1000);";
    for (const part of ["data/parts/host-1", "data/parts/control-plane-1", "other/host"]) {
      await mkdir(join(base, part), { recursive: true });
      await writeFile(join(base, part, "main.mjs"), program);
    }
    await mkdir(join(base, "data/versions/1"), { recursive: true });
    for (const name of ["host", "control-plane"])
      await symlink(`../../parts/${name}-1`, join(base, "data/versions/1", name));
    await symlink("data", join(base, "alias"));
    for (const main of ["data/parts/host-1", "alias/versions/1/control-plane", "data/versions/1/host", "other/host"]) {
      const child = spawn(process.execPath, [join(base, main, "main.mjs"), "--data", "x"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      children.push(child);
    }
    const [restarted, controlPlane, host] = children.map(({ pid }) => pid);
    const found = (await abandonedProcesses(join(base, "data"))).map(({ pid }) => pid);
    expect(found[0]).toBe(controlPlane);
    expect(new Set(found.slice(1))).toEqual(new Set([restarted, host]));
  } finally {
    for (const child of children) {
      child.kill("SIGKILL");
      await once(child, "close");
    }
    await rm(base, { recursive: true });
  }
});
