import { execFile } from "node:child_process";
import { mkdir, readFile, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { runInBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import { newId } from "../../packages/contract/src/ids.ts";
import { startTestHost } from "../fixtures/host.ts";

const execute = promisify(execFile);

/** What root in a box can do to its own root file system between two starts, done to its layer on the disk. */
test.each(["root", "ordinary user"] as const)(
  "links that a box puts in the place of its folders lead no mount out of its root, with a host process of %s",
  async (as) => {
    const signal = AbortSignal.timeout(60_000);
    await using host = await startTestHost({ as, volumes: "plain" });
    const victim = path.join(host.data, "victim");
    for (const folder of ["alcove", "state"]) await mkdir(path.join(victim, folder), { recursive: true });
    const id = newId("workspace");
    await host.volumes.create(id, signal);
    await host.runtime.create({ workspace: id, name: "links" }, signal);
    await host.runtime.start(id, 1, signal);
    await host.runtime.stop(id, 1, signal);

    const live = path.join(host.data, "volumes", "workspaces", id, "live");
    const places = [path.join(live, "root", "host", "root", "upper", "opt"), path.join(live, "workspace", "system")];
    for (const place of places) {
      await execute("sh", ["-c", 'test ! -e "$1" || mv "$1" "$1.before"', "sh", place]);
      await symlink(victim, place);
      await expect(host.runtime.start(id, 2, signal)).rejects.toThrow("Cannot start the workspace");
      expect(await readFile("/proc/self/mountinfo", "utf8")).not.toContain(victim);
      await rm(place);
      await execute("sh", ["-c", 'test ! -e "$1.before" || mv "$1.before" "$1"', "sh", place]);
    }
    const box = await host.runtime.start(id, 2, signal);
    expect((await runInBox(host.runtime, box, "echo here")).stdout).toBe("here\n");
    await host.runtime.destroy(id, signal);
  },
);
