import { get } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Workspace } from "../packages/contract/src/api/workspace.ts";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";

let alcove: TestAlcove;
beforeAll(async () => {
  alcove = await startTestAlcove({ env: { ALCOVE_FREEZE_AFTER_MS: "1500", ALCOVE_STOP_AFTER_MS: "0" } });
});
afterAll(() => alcove[Symbol.asyncDispose]());

const calls = { workspaces: () => alcove.plane.client.workspaces, terminals: () => alcove.plane.client.terminals };

async function awake(name: string, lifetime: Workspace["lifetime"] = {}): Promise<void> {
  await calls.workspaces().create({ name, lifetime });
  await calls.workspaces().start(name);
}

const box = async (name: string) => (await calls.workspaces().get(name)).box;
async function becomes(name: string, state: Workspace["box"]): Promise<void> {
  await expect.poll(() => box(name), { timeout: 20_000, interval: 100 }).toBe(state);
}
const run = (name: string, script: string) => calls.workspaces().execAndWait(name, { command: ["bash", "-c", script] });

test("an idle workspace is frozen, says so, and answers at once when it is used; looking at it does not wake it", async () => {
  await awake("idle");
  await becomes("idle", "frozen");
  expect((await calls.workspaces().get("idle")).why).toMatch(/^Frozen: idle for/);
  for (let looks = 0; looks < 5; looks += 1) {
    await calls.workspaces().list();
    await calls.workspaces().events("idle");
    await calls.workspaces().snapshots("idle");
  }
  expect(await box("idle")).toBe("frozen");
  expect((await run("idle", "echo here")).stdout).toBe("here\n");
  // Noted when the answer has been given.
  await becomes("idle", "running");
  expect((await calls.workspaces().get("idle")).epoch).toBe(1);
  const told = async () => (await calls.workspaces().events("idle", { after: 0 })).items.map(({ kind }) => kind);
  await expect.poll(async () => (await told()).slice(0, 3)).toEqual(["box.started", "box.frozen", "box.thawed"]);
});

test("a frozen workspace is woken without the host process", async () => {
  await awake("held");
  // Said after the freeze is done.
  await expect
    .poll(async () => (await calls.workspaces().events("held")).items.map(({ kind }) => kind), { timeout: 20_000 })
    .toContain("box.frozen");
  {
    using _held = alcove.holdHost();
    expect((await run("held", "echo here")).stdout).toBe("here\n");
  }
  await becomes("held", "running");
});

test("a program that works keeps its workspace awake, and the page says which; one that sleeps does not", async () => {
  await awake("busy");
  await run("busy", "(while :; do :; done) > /dev/null 2>&1 & echo $! > pid; sleep 0.1");
  await expect
    .poll(async () => (await calls.workspaces().get("busy")).why, { timeout: 15_000 })
    .toBe("Awake: `bash` is at work");
  const until = Date.now() + 4_000;
  while (Date.now() < until) expect(await box("busy")).toBe("running");
  await run("busy", "kill $(cat pid); (sleep 1000 > /dev/null 2>&1 &)");
  await becomes("busy", "frozen");
});

test("a command that somebody waits for is never frozen", async () => {
  await awake("waited");
  expect((await run("waited", "sleep 5; echo done")).stdout).toBe("done\n");
});

test(
  "a stopped workspace is awake when an entry of its crontab is due, runs it once, and sleeps again",
  { timeout: 180_000 },
  async () => {
    await awake("nightly", { freezeAfterMs: 1_000, stopAfterMs: 2_000 });
    // So far away that it falls asleep before, and the next one far enough that it sleeps again.
    const due = new Date(Math.ceil((Date.now() + 50_000) / 60_000) * 60_000);
    const entry = `${due.getUTCMinutes()} ${due.getUTCHours()} * * * date -u +%H:%M >> $HOME/ran; echo said`;
    await alcove.plane.client.files.write("nightly", "user/home/.config/alcove/crontab", `TZ=UTC\n${entry}\n`, {
      parents: true,
    });
    await becomes("nightly", "none");
    await expect
      .poll(async () => (await calls.workspaces().get("nightly")).why, { timeout: 120_000, interval: 200 })
      .toMatch(/^Awake: a scheduled command, /);
    expect(Date.now()).toBeLessThan(due.getTime());
    await expect
      .poll(async () => Date.now() > due.getTime() + 500 && (await box("nightly")), { timeout: 40_000, interval: 200 })
      .toBe("none");
    const at = due.toISOString().slice(11, 16);
    expect((await run("nightly", "cat ~/ran /workspace/system/logs/cron.log")).stdout).toBe(`${at}\nsaid\n`);
  },
);

test("a page that finds its way back in the background does not wake it", async () => {
  const terminal = await calls.terminals().create("waited");
  await becomes("waited", "frozen");
  const address = `${alcove.plane.address}/api/v1/workspaces/waited/terminals/${terminal.id}?wake=false`;
  const upgrade = { authorization: `Bearer ${alcove.secret}`, connection: "Upgrade", upgrade: "websocket" };
  const refused = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { ...upgrade, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" };
    get(address, { headers }, (answer) => resolve(answer.resume().statusCode)).on("error", reject);
  });
  expect(refused).toBe(409);
  expect(await box("waited")).toBe("frozen");
});

test("keys typed into the terminal of a frozen workspace wake it", async () => {
  await awake("typed");
  const terminal = await calls.terminals().create("typed");
  let shown = "";
  using line = calls.terminals().attach("typed", terminal.id, {
    size: { cols: 80, rows: 24 },
    onOutput: (bytes) => void (shown += new TextDecoder().decode(bytes)),
    onReset: () => undefined,
    onExit: () => undefined,
  });
  await expect.poll(() => shown, { timeout: 10_000 }).not.toBe("");
  await becomes("typed", "frozen");
  line.send(new TextEncoder().encode("echo wo''ken\n"));
  await expect.poll(() => shown, { timeout: 10_000 }).toContain("woken");
});

test("a workspace that stays idle is stopped, its own hook runs before, and it wakes with its files", async () => {
  await awake("asleep", { freezeAfterMs: 1_000, stopAfterMs: 3_000 });
  await run(
    "asleep",
    "mkdir -p ~/.config/alcove; printf '#!/bin/sh\\necho bye > /workspace/user/projects/hook\\n' > ~/.config/alcove/before-stop; chmod +x ~/.config/alcove/before-stop",
  );
  await becomes("asleep", "none");
  expect(await calls.workspaces().get("asleep")).toMatchObject({
    state: "hibernated",
    why: expect.stringMatching(/^Asleep: idle/),
  });
  expect((await run("asleep", "cat hook")).stdout).toBe("bye\n");
  const kinds = (await calls.workspaces().events("asleep", { after: 0 })).items.map(({ kind }) => kind);
  expect(kinds).toEqual(["box.started", "box.frozen", "box.stopped", "box.started"]);
});

test("one that is to be kept awake is, and one whose life is over is deleted", async () => {
  await awake("kept", { keepAlive: true });
  await awake("short", { deleteAfterMs: 4_000 });
  await expect
    .poll(async () => (await calls.workspaces().list()).items.map(({ name }) => name), { timeout: 20_000 })
    .not.toContain("short");
  expect(await box("kept")).toBe("running");
});

test("a box that dies is started again on the same files, at once the first time and later the second", async () => {
  await awake("mortal", { freezeAfterMs: null });
  await run("mortal", "echo kept > file");
  await run("mortal", "kill -TERM 1").catch(() => undefined);
  await expect.poll(async () => (await calls.workspaces().get("mortal")).epoch, { timeout: 20_000 }).toBe(2);
  await becomes("mortal", "running");
  expect((await run("mortal", "cat file")).stdout).toBe("kept\n");
  await run("mortal", "kill -TERM 1").catch(() => undefined);
  await becomes("mortal", "none");
  await expect
    .poll(async () => (await calls.workspaces().events("mortal")).items[0])
    .toMatchObject({ kind: "box.died", data: { next: "restart" } });
  expect((await run("mortal", "cat file")).stdout).toBe("kept\n");
});

test("nothing of a frozen box is lost when the server is killed, and it is found frozen", async () => {
  await becomes("idle", "frozen");
  await alcove.plane.kill();
  const plane = await alcove.startControlPlane();
  expect((await plane.client.workspaces.get("idle")).box).toBe("frozen");
  const { stdout } = await plane.client.workspaces.execAndWait("idle", { command: ["echo", "still"] });
  expect(stdout).toBe("still\n");
});
