import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDaemon, type TestDaemon } from "../testing/start-daemon.ts";

// The first process of a process namespace of its own, as in a box.
let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon({
    wrapper: ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"],
  });
  await daemon.answering();
});
afterAll(() => daemon[Symbol.asyncDispose]());

async function output(script: string): Promise<string> {
  const answer = await daemon.call("POST", "/v1/exec", { body: { command: ["sh", "-c", script] } });
  const first: { data?: string } = JSON.parse(answer.body.toString().split("\n")[0] ?? "{}");
  return first.data ?? "";
}

test("orphans that have ended leave the process table", async () => {
  const orphans = () => output("ps -eo ppid,args | grep -c '^ *1 .*[s]h' || true");
  await output("for i in 1 2 3; do (setsid sh -c 'sleep 2; exit 3' &); done");
  while ((await orphans()) !== "3\n");
  while ((await orphans()) !== "0\n");
});

test("the end of the first process is the end of all, soon", async () => {
  const init = Number(readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, "utf8"));
  const link = daemon.dial();
  link.on("error", () => undefined);
  const closed = once(link, "close");
  link.write("GET /v1/watch HTTP/1.1\r\nhost: box\r\n\r\n");
  await once(link, "data");
  link.on("end", () => link.end());
  process.kill(init, "SIGTERM");
  await closed;
  await expect(daemon.call("GET", "/v1/health")).rejects.toThrow(/ECONN|hang up/);
});
