import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Terminal } from "@alcove/contract/api/workspace";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attach } from "../testing/attach.ts";
import { startDaemon, type TestDaemon } from "../testing/start-daemon.ts";

/** The first process of a process namespace of its own, as in a box. */
const wrapper = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** The copied shell of this machine, and those that /bin/sh is elsewhere. */
const shells = [undefined, "dash", "bash --posix", "busybox sh"].filter((shell) => {
  const [program = "sh", ...words] = shell?.split(" ") ?? [];
  return spawnSync(program, [...words, "-c", ":"]).status === 0;
});

describe.each(shells)("run by %s", (shell) => {
  let daemon: TestDaemon;
  beforeAll(async () => {
    daemon = await startDaemon({ wrapper, shell });
    await daemon.answering();
  });
  afterAll(() => daemon[Symbol.asyncDispose]());

  async function output(script: string): Promise<string> {
    const answer = await daemon.call("POST", "/v1/exec", { body: { command: ["sh", "-c", script] } });
    const first: { data?: string } = JSON.parse(answer.body.toString().split("\n")[0] ?? "{}");
    return first.data ?? "";
  }

  const init = () => Number(readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, "utf8"));

  test("orphans that have ended leave the process table", async () => {
    const orphans = () => output("ps -eo ppid,args | grep -c '^ *1 .*[s]h -c' || true");
    const over = join(daemon.root, "over");
    await output(`for i in 1 2 3; do (setsid sh -c 'until [ -e ${over} ]; do sleep 0.1; done; exit 3' &); done`);
    while ((await orphans()) !== "3\n");
    writeFileSync(over, "");
    while ((await orphans()) !== "0\n");
  });

  test("programs of the box can be interrupted, and are told nothing that is for the daemon alone", async () => {
    expect(await output("kill -INT $$; echo survived")).toBe("");
    expect(await output("env")).not.toMatch(/BUN_|LD_LIBRARY_PATH/);
    const terminal = (await daemon.call("POST", "/v1/terminals", { body: {} })).json<Terminal>();
    await using viewer = await attach(daemon, terminal.id);
    // Said by the program itself: before it is in the foreground the shell gets the signal, and waits on for the program.
    viewer.type("sh -c \"echo rea''dy; exec sleep 1000\"; echo co''de=$?\n");
    await viewer.until((text) => text.includes("ready"));
    viewer.type("\u0003");
    viewer.type("echo co''de=$?\n");
    await viewer.until((text) => text.includes("code=130"));
  });

  test("a daemon that is killed comes back after a while, and says so", async () => {
    const falls = () => daemon.log().match(/"exitCode":137,"falls":\d+,"backoffMs":\d+/g);
    await output("kill -KILL $PPID").catch(() => undefined);
    await daemon.answering();
    await output("kill -KILL $PPID").catch(() => undefined);
    await daemon.answering();
    expect(falls()).toEqual(['"exitCode":137,"falls":1,"backoffMs":100', '"exitCode":137,"falls":2,"backoffMs":200']);
  });

  test("the end of the first process is the end of all, soon, and with time for those who end by themselves", async () => {
    const written = join(daemon.root, "written");
    const response = await daemon.open("POST", "/v1/exec", {
      body: { command: ["sh", "-c", `trap 'sleep 0.5; echo end > ${written}; exit' TERM; echo on; sleep 1000 & wait`] },
    });
    response.on("error", () => undefined);
    await once(response, "data");
    const link = daemon.dial();
    link.on("error", () => undefined);
    const closed = once(link, "close");
    link.write("GET /v1/watch HTTP/1.1\r\nhost: box\r\n\r\n");
    await once(link, "data");
    link.on("end", () => link.end());
    process.kill(init(), "SIGTERM");
    await closed;
    expect(readFileSync(written, "utf8")).toBe("end\n");
    await expect(daemon.call("GET", "/v1/health")).rejects.toThrow(/ECONN|EPIPE|hang up/);
  });
});

describe.each(shells)("a box that was made ahead, run by %s,", (shell = "sh") => {
  const folder = mkdtempSync(join(tmpdir(), "alcove-ahead-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  /** Says what it was started with and what it hears, falls once, and cannot be started again. */
  const daemon = join(folder, "daemon");
  const words = 'echo "$* in $(pwd), $GREETING, $OLDPWD"; if [ $1 = await ]; then cat; exit 3; fi; exit 126';
  writeFileSync(daemon, `#!/bin/sh\n${words}\n`, { mode: 0o755 });
  const run = async (told: string) => {
    const [program = "", ...more] = shell.split(" ");
    const script = fileURLToPath(new URL("init.sh", import.meta.url));
    const child = spawn(program, [...more, script, daemon, folder], {
      stdio: ["ignore", "pipe", "inherit", "ignore", "pipe", "pipe"],
      cwd: "/",
      env: { PATH: process.env["PATH"] },
    });
    const [, said, , , ...lines] = child.stdio;
    for (const line of lines) if (line instanceof Duplex) line.end(told);
    const exited = once(child, "exit");
    return { said: said === null ? "" : await text(said), exit: (await exited)[0] as number };
  };

  test("tells its daemon what it is told, and goes on with it when the daemon falls", async () => {
    const told = "ALCOVE_WORKSPACE=ws\nGREETING=hello  you\n\n";
    expect(await run(told)).toEqual({
      said: `await ${folder} in /, , \n${told}serve 1 3 in ${folder}, hello  you, \n`,
      exit: 126,
    });
  });

  test("ends when nobody can tell it any more", async () => {
    expect((await run("")).exit).toBe(1);
  });
});

test("a program that does not want to end is ended", async () => {
  await using daemon = await startDaemon({ wrapper });
  await daemon.answering();
  const response = await daemon.open("POST", "/v1/exec", {
    body: { command: ["sh", "-c", "trap '' TERM; echo on; while :; do sleep 1; done"] },
  });
  response.on("error", () => undefined);
  await once(response, "data");
  const gone = new Promise((resolve) => response.once("close", resolve));
  process.kill(Number(readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, "utf8")), "SIGTERM");
  await gone;
});

test("a daemon that cannot be started ends the first process, and one that falls at once does in the end", async () => {
  const script = fileURLToPath(new URL("init.sh", import.meta.url));
  const run = async (program: string) =>
    (await once(spawn("sh", [script, program], { stdio: "ignore" }), "exit"))[0] as number;
  expect(await run("/no/such/daemon")).toBe(127);
  expect(await run("/bin/false")).toBe(1);
});
