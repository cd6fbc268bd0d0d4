import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeStartLock } from "./start-lock.ts";

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "alcove-lock-"));
  await mkdir(join(data, "run"));
});
afterEach(() => rm(data, { recursive: true }));

async function take() {
  const taken = await takeStartLock(data);
  if ("holder" in taken) throw new Error("The lock is held");
  return taken.lock;
}

test("a second start gets the address of the first instead of the lock", async () => {
  await using lock = await take();
  await lock.update({ address: "http://127.0.0.1:7700" });
  expect(await takeStartLock(data)).toMatchObject({ holder: { address: "http://127.0.0.1:7700" } });
});

test("a released lock can be taken again", async () => {
  await (await take())[Symbol.asyncDispose]();
  await using lock = await take();
  expect(lock.abandoned).toBeNull();
});

test("the lock of a start that was killed is taken over with what it left running", async () => {
  const program = `
    const { takeStartLock } = await import(${JSON.stringify(new URL("./start-lock.ts", import.meta.url).href)});
    const { lock } = await takeStartLock(${JSON.stringify(data)});
    await lock.update({ host: { pid: 4194303, startedAt: "1" } });
    console.log("taken");
    setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(other.stdout, "data");
  expect(await takeStartLock(data)).toHaveProperty("holder");
  other.kill("SIGKILL");
  await once(other, "close");
  await using lock = await take();
  expect(lock.abandoned?.host).toEqual({ pid: 4194303, startedAt: "1" });
});

test("two processes that are started at once are both noted", async () => {
  await using lock = await take();
  const marks = [1, 2].map((pid) => ({ pid, startedAt: "1" }));
  for (let round = 0; round < 20; round += 1)
    await Promise.all([lock.update({ host: marks[0] }), lock.update({ controlPlane: marks[1] })]);
  expect(JSON.parse(await readFile(join(data, "run/start.json"), "utf8"))).toMatchObject({
    host: marks[0],
    controlPlane: marks[1],
  });
});
