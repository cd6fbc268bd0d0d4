import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { codex } from "./codex.ts";
import { createAgentInstaller } from "./install.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alcove-install-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const installed = () => join(folder, "agents/codex", codex.version);
const npmCli = () => join(folder, "npm-cli.cjs");
const never = new AbortController().signal;

/** Installs with a program in npm's place, which runs in the draft folder. */
function installer(npm: string) {
  writeFileSync(npmCli(), `const fs = require("node:fs"); const path = require("node:path");\n${npm}`);
  return server();
}

function server() {
  const env = { PATH: process.env["PATH"], HTTPS_PROXY: "http://proxy", ANTHROPIC_API_KEY: "secret" };
  const directory = join(folder, "agents");
  return createAgentInstaller({ directory, node: process.execPath, npmCli: npmCli(), arch: "x64", env });
}

const program = JSON.stringify(codex.program("x64"));
const count = () => JSON.stringify(join(folder, "count"));
const makes = () => `
  fs.appendFileSync(${count()}, "x");
  fs.mkdirSync(path.dirname(${program}), { recursive: true });
  fs.writeFileSync(${program}, JSON.stringify({ args: process.argv.slice(2), env: process.env }));
  process.stderr.write("npm http fetch GET 200\\n");`;

test("two calls at the same time share one installation, and a third has nothing to do", async () => {
  const agents = installer(makes());
  const progress: number[] = [];
  await Promise.all([
    agents.install(codex, (percent) => progress.push(percent), never),
    agents.install(codex, () => undefined, never),
  ]);
  await agents.install(codex, () => undefined, never);
  expect(await agents.isInstalled(codex)).toBe(true);
  expect(readFileSync(join(folder, "count"), "utf8")).toBe("x");
  expect(progress.at(-1)).toBe(100);
});

test("npm runs no scripts, asks for the exact version and sees no secret of the server", async () => {
  await installer(makes()).install(codex, () => undefined, never);
  const { args, env } = JSON.parse(readFileSync(join(installed(), codex.program("x64")), "utf8")) as {
    args: string[];
    env: Record<string, string>;
  };
  expect(args).toEqual(expect.arrayContaining(["install", "--ignore-scripts", ...codex.packages("x64")]));
  expect(env).toHaveProperty("HTTPS_PROXY");
  expect(env).not.toHaveProperty("ANTHROPIC_API_KEY");
});

test("npm's reason is told, and nothing is left", async () => {
  const agents = installer(
    'process.stderr.write("npm error code E404\\nnpm error 404 Not Found\\n"); process.exit(1);',
  );
  await expect(agents.install(codex, () => undefined, never)).rejects.toMatchObject({
    code: "agent_install_failed",
    message: expect.stringContaining("404 Not Found"),
  });
  expect(readdirSync(join(folder, "agents/codex"))).toEqual([]);
});

test("a package without its program is not taken for an agent", async () => {
  await expect(installer("").install(codex, () => undefined, never)).rejects.toMatchObject({
    code: "agent_install_failed",
  });
  expect(existsSync(installed())).toBe(false);
});

test("a folder without the program gives way to a whole one", async () => {
  mkdirSync(join(installed(), "node_modules"), { recursive: true });
  await installer(makes()).install(codex, () => undefined, never);
  expect(existsSync(join(installed(), codex.program("x64")))).toBe(true);
});

test("an installation that nobody waits for any more is ended, and the next one begins anew", async () => {
  const hanging = installer(
    `fs.appendFileSync(${count()}, "x"); setInterval(() => {}, 1000); process.stderr.write("npm http fetch\\n");`,
  );
  const stop = new AbortController();
  await expect(hanging.install(codex, (percent) => percent > 0 && stop.abort(), stop.signal)).rejects.toThrow("abort");
  await installer(makes()).install(codex, () => undefined, never);
  expect(existsSync(installed())).toBe(true);
});

test("the draft of a server that was killed is removed, that of a server at work is not", async () => {
  const drafts = ["killed", "at-work"].map((name) => join(folder, `agents/codex/.draft-${name}`));
  for (const draft of drafts) mkdirSync(draft, { recursive: true });
  const aMinuteAgo = Date.now() / 1000 - 60;
  utimesSync(drafts[0] ?? "", aMinuteAgo, aMinuteAgo);
  await installer(makes()).install(codex, () => undefined, never);
  expect(readdirSync(join(folder, "agents/codex")).toSorted()).toEqual([".draft-at-work", codex.version].toSorted());
});

test("two servers that share the folder can install at the same time, and the first to end wins", async () => {
  const servers = [installer(makes()), server(), server()];
  await Promise.all(servers.map((agents) => agents.install(codex, () => undefined, never)));
  expect(readdirSync(join(folder, "agents/codex"))).toEqual([codex.version]);
  expect(existsSync(join(installed(), codex.program("x64")))).toBe(true);
});
