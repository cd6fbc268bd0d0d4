import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Terminal } from "@alcove/contract/api/workspace";
import { terminalSchema } from "@alcove/contract/api/workspace";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startDaemon, type TestDaemon } from "../testing/start-daemon.ts";
import { attach, type Attached } from "../testing/attach.ts";

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon[Symbol.asyncDispose]());

async function open(box: TestDaemon = daemon, body: object = {}): Promise<Terminal> {
  const answer = await box.call("POST", "/v1/terminals", { body });
  return terminalSchema.parse(answer.json());
}

/** Types a command and waits for the line that it prints at its end. */
async function run(viewer: Attached, command: string, end: string): Promise<void> {
  viewer.type(`${command}; echo ${end.slice(0, 2)}""${end.slice(2)}\n`);
  await viewer.until((text) => text.includes(end));
}

const numbers = (text: string) => [...text.matchAll(/^n(\d+)\r$/gm)].map((match) => Number(match[1]));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe.each(["tmux", "the daemon's own pseudo-terminal"])("on %s", (kind) => {
  let box: TestDaemon;
  beforeAll(async () => {
    box = kind === "tmux" ? daemon : await startDaemon({ env: { PATH: withoutTmux(daemon) } });
  });
  afterAll(async () => {
    if (box !== daemon) await box[Symbol.asyncDispose]();
  });

  test("what is typed runs, in the given folder and size", async () => {
    const terminal = await open(box, { name: "mine", cols: 100, rows: 30, directory: "user/home" });
    expect(terminal).toMatchObject({ name: "mine", cols: 100, rows: 30, persistent: kind === "tmux" });
    await using viewer = await attach(box, terminal.id);
    await run(viewer, "pwd; stty size; echo term=$TERM", "done-1");
    expect(viewer.text()).toContain(`${box.root}/user/home`);
    expect(viewer.text()).toContain("30 100");
    expect(viewer.text()).toContain("term=xterm-256color");
    viewer.resize(120, 40);
    await run(viewer, "stty size", "done-2");
    expect(viewer.text()).toContain("40 120");
    expect((await box.call("GET", "/v1/terminals")).json<Terminal[]>()).toContainEqual(
      expect.objectContaining({ id: terminal.id, cols: 120, rows: 40 }),
    );
  });

  test("a viewer that comes back gets every byte once", async () => {
    const terminal = await open(box);
    const first = await attach(box, terminal.id);
    first.type("for i in $(seq 1 8000); do echo n$i; done; echo fin''ished\n");
    await first.until((text) => numbers(text).length > 1000);
    await first[Symbol.asyncDispose]();
    await using second = await attach(box, terminal.id, first.offset());
    // A busy machine may show all of it to the first one before the first one leaves.
    await second.until((text) => (first.text() + text).includes("finished"));
    expect(numbers(first.text() + second.text())).toEqual(upTo(8000));
    expect(second.resets()).toBe(0);
  });

  test("all viewers see the same, from the beginning", async () => {
    const terminal = await open(box);
    await using first = await attach(box, terminal.id);
    await run(first, "echo before", "done-3");
    await using second = await attach(box, terminal.id);
    await run(second, "echo after", "done-4");
    await first.until((text) => text.includes("done-4"));
    await expect.poll(() => second.text() === first.text()).toBe(true);
  });

  test("an ended shell says its code, and then the terminal is gone", async () => {
    const terminal = await open(box);
    await using viewer = await attach(box, terminal.id);
    viewer.type("echo last''words; exit 7\n");
    expect(await viewer.exit).toBe(7);
    expect(viewer.text()).toContain("lastwords");
    expect((await box.call("GET", `/v1/terminals/${terminal.id}/attach`)).status).toBe(410);
  });

  test("a deleted terminal ends with what runs in it", async () => {
    const terminal = await open(box);
    await using viewer = await attach(box, terminal.id);
    await run(viewer, "sleep 4713 & echo pid=$!", "done-5");
    const pid = /pid=(\d+)\r/.exec(viewer.text())?.[1];
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    expect((await box.call("DELETE", `/v1/terminals/${terminal.id}`)).status).toBe(204);
    await viewer.exit;
    expect((await box.call("DELETE", `/v1/terminals/${terminal.id}`)).status).toBe(410);
    while (existsSync(`/proc/${pid}`)) await box.call("GET", "/v1/health");
  });

  test("somebody who missed more than is kept gets a reset and goes on from there", async () => {
    const terminal = await open(box);
    await using first = await attach(box, terminal.id);
    await run(first, "yes 0123456789012345678901234567890123456789 | head -n 200000", "done-6");
    await using late = await attach(box, terminal.id, 10);
    await run(late, "echo still here", "done-7");
    expect(late.resets()).toBe(1);
    expect(late.text()).toContain("done-6");
  });
});

test("a terminal survives a kill of the daemon without losing a byte", async () => {
  const terminal = await open();
  const first = await attach(daemon, terminal.id);
  first.type("for i in $(seq 1 150); do echo n$i; sleep 0.005; done; echo fin''ished\n");
  await first.until((text) => numbers(text).length > 20);
  process.kill(daemon.servePid(), "SIGKILL");
  await first.closed;
  await daemon.answering();
  await using second = await attach(daemon, terminal.id, first.offset());
  await second.until((text) => (first.text() + text).includes("finished"));
  expect(numbers(first.text() + second.text())).toEqual(upTo(150));
  await run(second, "echo alive", "done-8");
  second.type("exit 3\n");
  expect(await second.exit).toBe(3);
});

test("a terminal whose tmux is killed ends for its viewers", async () => {
  const terminal = await open();
  await using viewer = await attach(daemon, terminal.id);
  await run(viewer, "echo tmux=$(ps -o ppid= $PPID)", "done-9");
  process.kill(Number(/tmux=\s*(\d+)/.exec(viewer.text())?.[1]), "SIGKILL");
  expect(await viewer.exit).toBe(129);
  await open();
});

test("questions that a program asks of its terminal are answered by tmux alone", async () => {
  const terminal = await open();
  await using viewer = await attach(daemon, terminal.id);
  await run(
    viewer,
    String.raw`stty -echo raw; printf '\033[6n'; dd bs=1 count=4 2>/dev/null | od -c; stty echo -raw`,
    "done-10",
  );
  expect(viewer.bytes().includes(Buffer.from("\x1b[6n"))).toBe(false);
  expect(viewer.text()).toContain("033   [");
});

/** A PATH on which everything but tmux is. */
function withoutTmux(box: TestDaemon): string {
  const folder = join(box.root, "../bin");
  mkdirSync(folder);
  for (const name of readdirSync("/usr/bin"))
    if (name !== "tmux") symlinkSync(join("/usr/bin", name), join(folder, name));
  return folder;
}

test("where terminals have been used, their server starts with the daemon; one that is used ends with its last terminal", async () => {
  // A process namespace of its own, in which it is alone.
  const wrapper = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"];
  await using box = await startDaemon({ wrapper });
  await box.answering();
  const servers = async (): Promise<number> => {
    const command = ["sh", "-c", "ps -eo args | grep -c '[t]mux -L alcove' || true"];
    const answer = await box.call("POST", "/v1/exec", { body: { command } });
    const first: { data?: string } = JSON.parse(answer.body.toString().split("\n")[0] ?? "{}");
    return Number(first.data);
  };
  expect(await servers()).toBe(0);
  const { id } = await open(box);
  expect(await servers()).toBe(1);
  await box.call("DELETE", `/v1/terminals/${id}`);
  await expect.poll(servers, { timeout: 10_000 }).toBe(0);
  await box.call("POST", "/v1/exec", { body: { command: ["sh", "-c", "kill -9 $PPID"] } }).catch(() => undefined);
  await box.answering();
  await expect.poll(servers, { timeout: 10_000 }).toBe(1);
  await open(box);
  expect(await servers()).toBe(1);
});
