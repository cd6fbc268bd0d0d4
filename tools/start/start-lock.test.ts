import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
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
  await lock.tell("http://127.0.0.1:7700");
  expect(await takeStartLock(data)).toMatchObject({ holder: { address: "http://127.0.0.1:7700" } });
});

test("a released lock can be taken again", async () => {
  await (await take())[Symbol.asyncDispose]();
  await using _ = await take();
});

test("the lock of a start that was killed can be taken", async () => {
  const program = `
    const { takeStartLock } = await import(${JSON.stringify(new URL("./start-lock.ts", import.meta.url).href)});
    await takeStartLock(${JSON.stringify(data)});
    console.log("taken");
    setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(other.stdout, "data");
  expect(await takeStartLock(data)).toHaveProperty("holder");
  other.kill("SIGKILL");
  await once(other, "close");
  await using _ = await take();
});

test("a lock that was torn by a full disk holds nobody up", async () => {
  await writeFile(join(data, "run", "start.json"), "");
  await using _ = await take();
  expect(await takeStartLock(data)).toHaveProperty("holder");
  expect(await readdir(join(data, "run"))).toEqual(["start.json"]);
});
