import { readdirSync, readFileSync } from "node:fs";
import type { BoxExecLine } from "@alcove/contract/box/exec";
import { boxExecLineSchema } from "@alcove/contract/box/exec";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDaemon, type TestDaemon } from "../testing/start-daemon.ts";

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon[Symbol.asyncDispose]());

async function exec(body: object): Promise<BoxExecLine[]> {
  const answer = await daemon.call("POST", "/v1/exec", { body });
  return answer.body
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => boxExecLineSchema.parse(JSON.parse(line)));
}

const text = (lines: BoxExecLine[], kind: "stdout" | "stderr") =>
  lines.map((line) => (line.kind === kind ? line.data : "")).join("");

/** Pids of processes whose command line holds the words. */
function running(words: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").includes(words);
    } catch {
      return false;
    }
  });
}

test("a command's outputs and its exit code arrive", async () => {
  const lines = await exec({ command: ["sh", "-c", "echo out; echo err >&2; exit 3"] });
  expect(text(lines, "stdout")).toBe("out\n");
  expect(text(lines, "stderr")).toBe("err\n");
  expect(lines.at(-1)).toEqual({ kind: "exit", exitCode: 3, timedOut: false });
});

test("a command gets its folder, environment and input, and an end of the input", async () => {
  const lines = await exec({
    command: ["sh", "-c", "pwd; echo $GREETING; cat"],
    directory: "user/home",
    env: { GREETING: "hi" },
    stdin: "typed",
  });
  expect(text(lines, "stdout")).toBe(`${daemon.root}/user/home\nhi\ntyped`);
});

test("characters are not split, and what is no text comes as base64", async () => {
  const lines = await exec({
    command: ["sh", "-c", "printf '\\303'; sleep 0.2; printf '\\251'; sleep 0.2; printf '\\377'"],
  });
  expect(lines.slice(0, 2)).toEqual([
    { kind: "stdout", data: "é" },
    { kind: "stdout", data: "/w==", encoding: "base64" },
  ]);
});

test("a command that is killed gives 128 and the signal", async () => {
  expect((await exec({ command: ["sh", "-c", "kill -9 $$"] })).at(-1)).toMatchObject({ exitCode: 137 });
});

test("a command whose time is over dies with everything it started", async () => {
  const lines = await exec({ command: ["sh", "-c", "trap '' TERM; sleep 4711 & wait; sleep 4711"], timeoutMs: 200 });
  expect(lines.at(-1)).toMatchObject({ kind: "exit", timedOut: true });
  expect(running("sleep 4711")).toEqual([]);
});

test("closing the request kills the command's whole group", async () => {
  const response = await daemon.open("POST", "/v1/exec", {
    body: { command: ["sh", "-c", "sleep 4712 & echo on; wait"] },
  });
  await new Promise((resolve) => response.once("data", resolve));
  response.on("error", () => undefined);
  response.destroy();
  while (running("sleep 4712").length > 0) await daemon.call("GET", "/v1/health");
});

test("a child that is left behind does not hold the answer up", async () => {
  const lines = await exec({ command: ["sh", "-c", "sleep 3 & echo started"] });
  expect(text(lines, "stdout")).toBe("started\n");
  expect(lines.at(-1)).toMatchObject({ exitCode: 0 });
});

test("a reader that does not read stops a flood, and gets all of it later", async () => {
  const response = await daemon.open("POST", "/v1/exec", {
    body: { command: ["sh", "-c", "head -c 60000000 /dev/zero | tr '\\0' x"] },
  });
  response.pause();
  let length = 0;
  for (let calls = 0; calls < 200; calls++) await daemon.call("GET", "/v1/health");
  const status = readFileSync(`/proc/${daemon.servePid()}/status`, "utf8");
  expect(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024).toBeLessThan(200);
  let rest = "";
  for await (const chunk of response) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const parsed: BoxExecLine = JSON.parse(line);
      if (parsed.kind === "stdout") length += parsed.data.length;
    }
  }
  expect(length).toBe(60_000_000);
});

test("refusals have codes", async () => {
  const code = async (body: object) => (await daemon.call("POST", "/v1/exec", { body })).json<{ code: string }>().code;
  expect(await code({ command: ["no-such-command"] })).toBe("command_not_found");
  expect(await code({ command: [] })).toBe("bad_request");
  expect(await code({ command: ["ls"], directory: "../.." })).toBe("path_outside");
  expect(await code({ command: ["ls"], directory: "user/missing" })).toBe("file_not_found");
  expect(await code({ command: ["ls"], timeoutMs: 0 })).toBe("bad_request");
});

test("a command may be silent for longer than servers usually wait", async () => {
  expect((await exec({ command: ["sleep", "12"] })).at(-1)).toMatchObject({ exitCode: 0 });
});
