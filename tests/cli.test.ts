import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runEventSchema } from "../packages/contract/src/api/event.ts";
import { runSchema } from "../packages/contract/src/api/run.ts";
import { inProject } from "../tools/project.ts";
import { type FakeModel, startFakeModel } from "./fakes/model/fake-model.ts";
import { scriptedPrompt } from "./fakes/model/script.ts";
import { installedAgents } from "./fixtures/agents.ts";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";

let alcove: TestAlcove;
let model: FakeModel;
let home: string;
beforeAll(async () => {
  model = await startFakeModel();
  alcove = await startTestAlcove({ agents: await installedAgents() });
  home = await mkdtemp(path.join(tmpdir(), "alcove-cli-home-"));
});
afterAll(async () => {
  await alcove[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

interface Spoken {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function begin(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const own = { PATH: process.env["PATH"], HOME: home, ALCOVE_KEY: alcove.secret, ALCOVE_URL: alcove.plane.address };
  return spawn(process.execPath, [inProject("apps/cli/src/main.ts"), ...args], {
    env: { ...own, ...env },
    stdio: "pipe",
  });
}

async function alcoveCommand(args: readonly string[], input = "", env: Record<string, string> = {}): Promise<Spoken> {
  const child = begin(args, env);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin?.end(input);
  await once(child, "close");
  return { code: child.exitCode, stdout, stderr };
}

/** The command in a terminal of its own, as a person has it. */
function beginInPseudoTerminal(args: readonly string[]) {
  const words = [process.execPath, inProject("apps/cli/src/main.ts"), ...args];
  const child = spawn("script", ["--quiet", "--return", "--command", words.join(" "), "/dev/null"], {
    env: { PATH: process.env["PATH"], HOME: home, ALCOVE_KEY: alcove.secret, ALCOVE_URL: alcove.plane.address },
    stdio: "pipe",
  });
  let screen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
  return {
    type: (keys: string) => child.stdin.write(keys),
    async saw(text: RegExp) {
      await expect.poll(() => stripVTControlCharacters(screen), { timeout: 20_000 }).toMatch(text);
    },
    ended: once(child, "close").then(() => child.exitCode),
  };
}

test("workspaces are made, listed and removed from a shell", async () => {
  expect(await alcoveCommand(["ws", "create", "shop"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("shop"),
  });
  expect((await alcoveCommand(["ws", "ls"])).stdout).toContain("shop");
  await alcoveCommand(["ws", "create", "spare"]);
  expect((await alcoveCommand(["ws", "rm", "spare"])).code).toBe(0);
  await expect.poll(async () => (await alcoveCommand(["ws", "ls"])).stdout, { timeout: 20_000 }).not.toContain("spare");
});

test("when a workspace sleeps and is deleted is printed and changed from a shell", async () => {
  const { stdout } = await alcoveCommand(["ws", "lifetime", "shop", "--stop-after", "2h", "--delete-after", "30d"]);
  expect(stdout).toMatch(/^stop after {4}2h$/m);
  expect(stdout).toMatch(/^delete after {2}30d, on \d{4}-/m);
  expect((await alcoveCommand(["ws", "lifetime", "shop", "--delete-after", "never"])).stdout).toMatch(
    /^delete after {2}never$/m,
  );
  expect((await alcoveCommand(["ws", "lifetime", "shop", "--stop-after", "soon"])).stderr).toContain("as in 90s");
});

test("a snapshot is named by its name, and what is not there ends with 4", async () => {
  await alcoveCommand(["exec", "shop", "--", "sh", "-c", "echo then > when"]);
  await alcoveCommand(["snapshot", "take", "shop", "good"]);
  await alcoveCommand(["exec", "shop", "--", "sh", "-c", "echo now > when"]);
  expect((await alcoveCommand(["ws", "fork", "shop", "branch", "--snapshot", "good"])).code).toBe(0);
  expect((await alcoveCommand(["exec", "branch", "--", "cat", "when"])).stdout).toBe("then\n");
  await alcoveCommand(["ws", "rm", "branch"]);
  expect(await alcoveCommand(["ws", "fork", "shop", "--snapshot", "bad"])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('no snapshot "bad"'),
  });
  expect((await alcoveCommand(["ws", "create", "--template", "nothing-like-it"])).code).toBe(4);
});

test("an export that is broken off leaves no half of a file", async () => {
  await alcoveCommand(["exec", "shop", "--", "sh", "-c", "head -c 300M /dev/urandom > large"]);
  const file = path.join(home, "half.tar.gz");
  const child = begin(["ws", "export", "shop", file]);
  await expect
    .poll(
      () =>
        stat(file).then(
          ({ size }) => size,
          () => 0,
        ),
      { interval: 10, timeout: 20_000 },
    )
    .toBeGreaterThan(0);
  child.kill("SIGINT");
  await once(child, "close");
  expect(child.exitCode).toBe(130);
  await expect(stat(file)).rejects.toMatchObject({ code: "ENOENT" });
  await alcoveCommand(["exec", "shop", "--", "rm", "large"]);
});

test("exec passes bytes on that are no text, in and out", async () => {
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7) % 256));
  const child = begin(["exec", "-i", "shop", "--", "cat"]);
  const output: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
  child.stdin?.end(bytes);
  await once(child, "close");
  expect(child.exitCode).toBe(0);
  expect(Buffer.concat(output).equals(bytes)).toBe(true);
});

test("exec passes on output, errors, exit code and input", async () => {
  const spoken = await alcoveCommand(["exec", "shop", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
  expect(spoken).toEqual({ code: 7, stdout: "out\n", stderr: "err\n" });
  expect((await alcoveCommand(["exec", "-i", "shop", "--", "cat"], "given\n")).stdout).toBe("given\n");
});

test("a shell opens in the workspace, its exit code is passed on, and Ctrl-] leaves it running", async () => {
  const opened = beginInPseudoTerminal(["shell", "shop"]);
  await opened.saw(/\$ $/);
  opened.type("echo hel''lo; exit 3\r");
  await opened.saw(/^hello\r$/m);
  expect(await opened.ended).toBe(3);

  const left = beginInPseudoTerminal(["shell", "shop"]);
  await left.saw(/\$ $/);
  left.type("\x1d");
  expect(await left.ended).toBe(0);
  expect((await alcove.plane.client.terminals.list("shop")).items).toHaveLength(1);

  const piped = await alcoveCommand(["shell", "shop"]);
  expect(piped.code).toBe(1);
  expect(piped.stderr).toContain("alcove exec shop -- COMMAND");
});

test("a run without a model key fails with the code and the sentence that says what to do", async () => {
  const spoken = await alcoveCommand(["run", "--workspace", "shop", "hello"]);
  expect(spoken.code).toBe(1);
  expect(spoken.stderr).toMatch(/model_key_missing: .+\n.*Settings/);
});

test("a run prints what the agent says and does, and its files", async () => {
  await alcove.plane.client.providers.put("anthropic", { kind: "anthropic", baseUrl: model.url, key: model.key });
  const prompt = scriptedPrompt("Write.", [
    { shell: "echo from-the-shell" },
    { write: { path: "plan.md", content: "# Plan\n" } },
    { say: "The plan is written." },
  ]);
  const spoken = await alcoveCommand(["run", "--workspace", "shop", "--agent", "claude-code", prompt]);
  expect(spoken.code).toBe(0);
  for (const part of ["echo from-the-shell", "plan.md", "The plan is written."])
    expect(spoken.stdout + spoken.stderr).toContain(part);
});

test("with --json each event is a line of JSON, and the run is the last", async () => {
  const prompt = scriptedPrompt("Say it.", [{ say: "Said in JSON." }]);
  const { code, stdout } = await alcoveCommand(["run", "-w", "shop", "-a", "claude-code", "--json", prompt]);
  expect(code).toBe(0);
  const lines: unknown[] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(runSchema.parse(lines.at(-1))).toMatchObject({ state: "succeeded", text: "Said in JSON." });
  const seqs = lines.slice(0, -1).map((line) => runEventSchema.parse(line).seq);
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
});

test("login stores address and key for later commands, and refuses a key that does not work", async () => {
  const unset = { ALCOVE_URL: "", ALCOVE_KEY: "" };
  const wrong = await alcoveCommand(["login", alcove.plane.address], "alc_wrong\n", unset);
  expect(wrong).toMatchObject({ code: 3, stderr: expect.stringContaining("not_signed_in") });

  const key = (await alcoveCommand(["key", "create", "laptop"])).stdout.trim();
  const signedIn = await alcoveCommand(["login", alcove.plane.address], `${key}\n`, unset);
  expect(signedIn).toMatchObject({ code: 0, stdout: expect.stringContaining("Signed in") });
  expect((await alcoveCommand(["ws", "ls"], "", unset)).stdout).toContain("shop");

  const row = (await alcoveCommand(["key", "ls"])).stdout.split("\n").find((line) => line.includes("laptop"));
  expect((await alcoveCommand(["key", "rm", row?.split(" ")[0] ?? ""])).code).toBe(0);
  expect((await alcoveCommand(["ws", "ls"], "", unset)).code).toBe(3);
});

test("a workspace's limits, snapshots, forks and archives are worked from the shell", async () => {
  const ok = async (...args: string[]) => {
    const spoken = await alcoveCommand(args);
    expect(spoken).toMatchObject({ code: 0 });
    return spoken.stdout;
  };
  await ok("ws", "create", "bench");
  expect(await ok("ws", "limits", "bench", "--memory", "512M", "--cpus", "1.5")).toContain("memory      512 MiB");
  expect(await ok("ws", "limits", "bench", "--cpus", "none")).toMatch(/512 MiB\ncpus {8}none/);
  expect((await alcoveCommand(["ws", "limits", "bench", "--memory", "lots"])).code).toBe(2);

  await ok("exec", "bench", "--", "sh", "-c", "echo one > story.txt");
  await ok("snapshot", "take", "bench", "draft");
  await ok("exec", "bench", "--", "sh", "-c", "echo two > story.txt; echo new > more.txt");
  await ok("snapshot", "take", "bench", "final");
  expect(await ok("snapshot", "ls", "bench")).toMatch(/final[\s\S]+draft/);
  expect(await ok("snapshot", "changes", "bench", "draft", "final")).toBe(
    "A user/projects/more.txt\nM user/projects/story.txt\n",
  );
  expect(await ok("snapshot", "diff", "bench", "draft", "final", "user/projects/story.txt")).toContain("-one\n+two\n");
  expect(await ok("ws", "fork", "bench", "copy")).toBe("copy\n");
  expect(await ok("snapshot", "restore", "bench", "draft")).toContain(
    "To go back: alcove snapshot restore bench snap_",
  );
  expect(await ok("exec", "bench", "--", "cat", "story.txt")).toBe("one\n");
  expect(await ok("exec", "copy", "--", "cat", "story.txt")).toBe("two\n");
  expect(await alcoveCommand(["snapshot", "restore", "bench", "never"])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining("alcove snapshot ls bench"),
  });

  const archive = path.join(home, "copy.tar.gz");
  await ok("ws", "export", "copy", archive);
  expect((await alcoveCommand(["ws", "export", "copy", archive])).stderr).toContain("file_exists");
  await ok("ws", "import", archive, "again");
  expect(await ok("exec", "again", "--", "cat", "more.txt")).toBe("new\n");
  expect((await alcoveCommand(["ws", "import", path.join(home, "missing.tar")])).stderr).toContain("file_not_found");

  await ok("ws", "stop", "again");
  expect(await ok("ws", "events", "again")).toContain("Asleep");
  await ok("ws", "start", "again");
  expect(await ok("ws", "log", "again")).toContain("The daemon serves");
  await ok("ws", "rm", "bench", "copy", "again");
});

test("a server that does not answer is told as that", async () => {
  const spoken = await alcoveCommand(["ws", "ls"], "", { ALCOVE_URL: "http://127.0.0.1:9" });
  expect(spoken).toMatchObject({ code: 5, stderr: expect.stringContaining("server_unreachable") });
});

test("an API key made in the shell works for programs: the same idempotency key gives the same run, and a stream goes on where it stopped", async () => {
  const made = await alcoveCommand(["key", "create", "program"]);
  const key = /alc_\S+/.exec(made.stdout)?.[0] ?? "";
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", "idempotency-key": "once" };
  const body = JSON.stringify({ workspace: "shop", prompt: scriptedPrompt("Say it.", [{ say: "Said." }]) });
  const at = `${alcove.plane.address}/api/v1/runs`;
  const first = await fetch(at, { method: "POST", headers, body });
  const second = await fetch(at, { method: "POST", headers, body });
  const [one, two] = [runSchema.parse(await first.json()), runSchema.parse(await second.json())];
  expect([first.status, second.status, two.id]).toEqual([202, 200, one.id]);
  const other = await fetch(at, {
    method: "POST",
    headers,
    body: JSON.stringify({ workspace: "shop", prompt: "Other" }),
  });
  expect(other.status).toBe(409);
  const ended = runSchema.parse(await (await fetch(`${at}/${one.id}?wait=60`, { headers })).json());
  expect(ended).toMatchObject({ state: "succeeded", text: "Said." });
  const idsAfter = async (last: string) => {
    const text = await (
      await fetch(`${at}/${one.id}/events`, { headers: { ...headers, "last-event-id": last } })
    ).text();
    return [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
  };
  const all = await idsAfter("0");
  expect(all).toEqual(all.map((_, index) => index + 1));
  expect(await idsAfter("3")).toEqual(all.slice(3));
  expect((await alcoveCommand(["key", "ls"])).stdout).toContain("program");
});

test("Ctrl-C cancels the run", async () => {
  const prompt = scriptedPrompt("Sleep.", [{ say: "I sleep." }, { shell: "tail -f /dev/null" }]);
  const child = begin(["run", "--workspace", "shop", prompt]);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  await expect.poll(() => output, { timeout: 60_000 }).toContain("I sleep.");
  child.kill("SIGINT");
  await once(child, "close");
  expect(child.exitCode).toBe(130);
  const { items } = await alcove.plane.client.runs.list({ workspace: "shop" });
  const newest = await alcove.plane.client.runs.get(items[0]?.id ?? "", { waitSeconds: 30 });
  expect(newest.state).toBe("cancelled");
});

test("doctor tells what the host can do, and a wrong name is a coded refusal", async () => {
  expect((await alcoveCommand(["doctor"])).stdout).toContain("User namespaces are allowed");
  const wrong = await alcoveCommand(["exec", "nowhere", "--", "true"]);
  expect(wrong.code).toBe(125);
  expect(wrong.stderr).toContain("not_found");
});
