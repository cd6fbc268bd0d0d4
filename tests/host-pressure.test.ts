import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";

const execute = promisify(execFile);
const gibibyte = 2 ** 30;

let folder: string;
let disk: string;
let alcove: TestAlcove;
const before = process.env["TMPDIR"];

/** A server whose data is on a disk of eight GiB that is nobody else's. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "alcove-disk-"));
  await chmod(folder, 0o755);
  disk = path.join(folder, "disk");
  await execute("truncate", ["--size", String(8 * gibibyte), `${disk}.img`]);
  await execute("mkfs.ext4", ["-q", "-m", "0", `${disk}.img`]);
  await execute("mkdir", [disk]);
  await execute("mount", ["-o", "loop", `${disk}.img`, disk]);
  process.env["TMPDIR"] = disk;
  alcove = await startTestAlcove({ env: { ALCOVE_FREEZE_AFTER_MS: "0", ALCOVE_STOP_AFTER_MS: "0" } });
});
afterAll(async () => {
  await alcove[Symbol.asyncDispose]();
  if (before === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = before;
  await execute("umount", [disk]);
  await rm(folder, { recursive: true, force: true });
});

const ballast = () => path.join(disk, "ballast");
/** Takes so much of the disk that this is left. */
async function leave(bytes: number): Promise<void> {
  await rm(ballast(), { force: true });
  const { stdout } = await execute("df", ["--output=avail", "--block-size=1", disk]);
  await execute("fallocate", ["--length", String(Math.floor(Number(stdout.split("\n")[1]) - bytes)), ballast()]);
}

test("a disk that fills up puts idle workspaces to sleep first, then refuses new ones with a code, and all is well when there is room again", async () => {
  const { workspaces } = alcove.plane.client;
  for (const name of ["first", "second"]) {
    await workspaces.create({ name });
    await workspaces.start(name);
  }
  await workspaces.create({ name: "busy" });
  const { id: snapshot } = await workspaces.takeSnapshot("busy");
  const work = workspaces.execAndWait("busy", { command: ["sh", "-c", "until [ -e done ]; do sleep 0.1; done"] });
  await leave(0.7 * gibibyte);
  for (const name of ["first", "second"])
    await expect
      .poll(() => workspaces.get(name), { timeout: 60_000, interval: 500 })
      .toMatchObject({ box: "none", why: "Asleep: the server ran short of memory or disk" });
  expect((await workspaces.execAndWait("first", { command: ["echo", "still"] })).stdout).toBe("still\n");

  await leave(0.3 * gibibyte);
  const create = () =>
    workspaces.create().then(
      ({ id }) => workspaces.delete(id).then(() => "made"),
      ({ code }: { code: string }) => code,
    );
  // The server looks at its disk every other second.
  await expect.poll(create, { timeout: 20_000, interval: 1_000 }).toBe("host_full");
  await expect(workspaces.start("second")).rejects.toMatchObject({ code: "host_full" });

  // It could not be started again afterwards: the files stay, and so does the box that works on them.
  await expect(workspaces.restore("busy", snapshot)).rejects.toMatchObject({ code: "host_full" });
  await workspaces.execAndWait("busy", { command: ["touch", "done"] });
  expect(await work).toMatchObject({ exitCode: 0 });

  await rm(ballast());
  await expect
    .poll(
      () =>
        workspaces.start("second").then(
          ({ box }) => box,
          () => "refused",
        ),
      { timeout: 20_000 },
    )
    .toBe("running");
});
