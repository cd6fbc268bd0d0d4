import { buffer, text } from "node:stream/consumers";
import { CodedError } from "@alcove/contract/errors";
import { runModeSchema } from "@alcove/contract/api/run";
import { createClient, type Client } from "@alcove/sdk/client";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { addComputerCommands } from "./computer-commands.ts";
import { dataDirectory, findConnection, storeLogin } from "./connection.ts";
import { diagnose } from "./doctor.ts";
import { execCommand, inputOf } from "./exec.ts";
import { exitCodeHelp } from "./exit-codes.ts";
import { diagnoseOffline } from "./offline-doctor.ts";
import { runPrompt } from "./run.ts";
import { changeNetwork, describeNetwork, networkChanges } from "./network.ts";
import { openShell } from "./shell.ts";
import { addSnapshotCommands } from "./snapshot-commands.ts";
import { formatAge, formatTable } from "./table.ts";
import { addTemplateCommands } from "./template-commands.ts";
import type { Terminal } from "./terminal.ts";

const runtimes = ["embedded", "docker"] as const;

type Environment = Record<string, string | undefined>;

/** The command line; `finish` gets the exit code of commands that have one of their own. */
export function createProgram(terminal: Terminal, env: Environment, finish: (exitCode: number) => void): Command {
  const program = new Command("alcove")
    .description("A computer of its own for every person and every agent.")
    .addHelpText("after", exitCodeHelp)
    .addHelpText(
      "after",
      "\nEnvironment: ALCOVE_URL and ALCOVE_KEY name another server; ALCOVE_DATA is the data directory of this machine's.",
    )
    .showHelpAfterError("(`alcove --help` lists the commands)")
    .enablePositionalOptions();

  const client = async (): Promise<Client> => {
    const { address, key } = await findConnection(env);
    return createClient(key === undefined ? { baseUrl: address } : { baseUrl: address, key });
  };

  program
    .command("login")
    .description("store the address of a server and an API key for later commands")
    .argument("<address>", "address of the server, as in https://alcove.example.org")
    .option("--key <key>", "API key; read from standard input when left out")
    .action(async (address: string, options: { key?: string }) => {
      if (options.key === undefined) terminal.writeError("API key: ");
      const key = (options.key ?? (await readLine(terminal))).trim();
      const me = await createClient({ baseUrl: address, key }).me.get();
      const path = await storeLogin({ address, key }, env);
      terminal.write(`Signed in to ${address} as ${me.name}; stored in ${path}.\n`);
    });

  program
    .command("run")
    .description("give an agent a task and print its work as it happens")
    .argument("[prompt...]", "what is to be done; read from standard input when left out or `-`")
    .option("-w, --workspace <workspace>", "name or id of the workspace; a new one when left out")
    .option("-a, --agent <agent>", "agent that does the work")
    .addOption(new Option("--mode <mode>", "how far it may go by itself").choices(runModeSchema.options))
    .option("-m, --model <model>", "model of the provider")
    .option("-s, --session <session>", "conversation to continue")
    .option("-d, --directory <path>", "directory in the workspace, relative to /workspace")
    .option("--json", "print each event as a line of JSON, the run last", false)
    .action(async (words: string[], { json, mode, ...options }: RunOptions) => {
      const fromInput = words.length === 0 || (words.length === 1 && words[0] === "-");
      const prompt = fromInput ? await text(terminal.input) : words.join(" ");
      if (prompt.trim() === "")
        throw new CodedError("bad_request", "The prompt is empty.", {
          hint: 'Write what is to be done: alcove run "…"',
        });
      finish(
        await runPrompt(
          await client(),
          terminal,
          { ...options, mode: runModeSchema.optional().parse(mode), prompt },
          { json },
        ),
      );
    });

  program
    .command("exec")
    .description("run one command in a workspace; its output and exit code become this one's")
    .argument("<workspace>", "name or id")
    .argument("<command...>", "the command, after --")
    .option("-d, --directory <path>", "directory in the workspace, relative to /workspace")
    .option("-e, --env <name=value>", "variable for the command; may be given again", collectVariable)
    .option("-i, --stdin", "pass standard input on", false)
    .option("-t, --timeout <seconds>", "end the command after so many seconds", positiveNumber)
    .passThroughOptions()
    .action(async (workspace: string, words: string[], options: ExecOptions) => {
      const request = {
        command: words[0] === "--" ? words.slice(1) : words,
        directory: options.directory,
        env: options.env,
        ...(options.stdin && inputOf(await buffer(terminal.input))),
        timeoutMs: options.timeout === undefined ? undefined : options.timeout * 1000,
      };
      finish(await execCommand(await client(), terminal, workspace, request));
    });

  program
    .command("shell")
    .description("open a terminal in a workspace; Ctrl-] leaves it running")
    .argument("<workspace>", "name or id")
    .action(async (workspace: string) => {
      const tty = { input: process.stdin, output: process.stdout, note: (line: string) => terminal.writeError(line) };
      finish(await openShell(await client(), workspace, tty));
    });

  program
    .command("doctor")
    .description("say what this server can and cannot do, and the command that would mend it")
    .option("--json", "print JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      try {
        finish(await diagnose(await client(), terminal, { json }));
      } catch (error) {
        if (!(error instanceof CodedError && error.code === "server_unreachable")) throw error;
        finish(await diagnoseOffline(dataDirectory(env), terminal, { json, cause: error }));
      }
    });

  program
    .command("link")
    .description("print an address that signs the owner in on the page, once")
    .action(async () => terminal.write(`${(await (await client()).createSignInLink()).url}\n`));

  const ws = program.command("ws").description("workspaces");
  addWorkspaceCommands(ws, client, terminal);
  addComputerCommands(ws, client, terminal);
  const snapshot = program.command("snapshot").description("states of a workspace's files to go back to, or to fork");
  addSnapshotCommands(snapshot, client, terminal);
  addTemplateCommands(program.command("template").description("what new workspaces may begin with"), client, terminal);
  addKeyCommands(program.command("key").description("API keys for programs"), client, terminal);
  return program;
}

type RunOptions = {
  workspace?: string;
  agent?: string;
  mode?: string;
  model?: string;
  session?: string;
  directory?: string;
  json: boolean;
};
type ExecOptions = { directory?: string; env?: Record<string, string>; stdin: boolean; timeout?: number };

function addWorkspaceCommands(ws: Command, client: () => Promise<Client>, terminal: Terminal): void {
  ws.command("ls")
    .description("list workspaces")
    .option("--json", "print JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      const { items } = await (await client()).workspaces.list({ limit: 200 });
      const rows = items.map((item) => [
        item.name,
        item.state,
        item.box,
        formatAge(item.createdAt, new Date()),
        item.why,
      ]);
      terminal.write(json ? `${JSON.stringify(items)}\n` : formatTable(["name", "state", "box", "age", "why"], rows));
    });
  ws.command("create")
    .description("create a workspace and print its name")
    .argument("[name]", "lower-case letters, digits and hyphens; made up when left out")
    .option("-t, --template <template>", "what it begins with, as `alcove template ls` names it: node, or node@22")
    .addOption(
      new Option("--runtime <name>", "what runs it; `alcove doctor` says whether Docker can").choices(runtimes),
    )
    .action(async (name: string | undefined, options: { runtime?: (typeof runtimes)[number]; template?: string }) => {
      const { workspaces } = await client();
      const wish = { ...(name !== undefined && { name }), ...options };
      terminal.write(`${(await workspaces.create(wish)).name}\n`);
    });
  ws.command("rm")
    .description("delete workspaces with all their files")
    .argument("<workspace...>", "names or ids")
    .action(async (names: string[]) => {
      const { workspaces } = await client();
      for (const name of names) await workspaces.delete(name);
    });
  ws.command("network")
    .description("print or change what a workspace may reach; holds at once, also while it runs")
    .argument("<workspace>", "name or id")
    .addArgument(new Argument("[change]", "`allow` makes an allow-list of what is allowed").choices(networkChanges))
    .argument("[host...]", "host names for allow and deny, as in registry.npmjs.org or '*.example.com'")
    .option("--json", "print JSON", false)
    .action(async (name: string, change: string | undefined, hosts: string[], { json }: { json: boolean }) => {
      const { workspaces } = await client();
      let { network } = await workspaces.get(name);
      const known = networkChanges.find((candidate) => candidate === change);
      if (known !== undefined)
        ({ network } = await workspaces.update(name, { network: changeNetwork(network, known, hosts) }));
      terminal.write(json ? `${JSON.stringify(network)}\n` : describeNetwork(network));
    });
}

function addKeyCommands(key: Command, client: () => Promise<Client>, terminal: Terminal): void {
  key
    .command("create")
    .description("create a key and print it; it is shown this once")
    .argument("<name>", "what it is for")
    .action(async (name: string) => terminal.write(`${(await (await client()).keys.create({ name })).key}\n`));
  key
    .command("ls")
    .description("list keys")
    .action(async () => {
      const { items } = await (await client()).keys.list();
      const used = (at: string | null) => (at === null ? "never" : `${formatAge(at, new Date())} ago`);
      const rows = items.map((item) => [item.id, item.name, `${item.start}…`, used(item.lastUsedAt)]);
      terminal.write(formatTable(["id", "name", "key", "used"], rows));
    });
  key
    .command("rm")
    .description("revoke keys")
    .argument("<id...>", "ids of `alcove key ls`")
    .action(async (ids: string[]) => {
      const { keys } = await client();
      for (const id of ids) await keys.revoke(id);
    });
}

function positiveNumber(number: string): number {
  const value = Number(number);
  if (!(value > 0)) throw new InvalidArgumentError("It is a number above 0.");
  return value;
}

function collectVariable(variable: string, earlier: Record<string, string> = {}): Record<string, string> {
  const at = variable.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It is not NAME=VALUE.");
  return { ...earlier, [variable.slice(0, at)]: variable.slice(at + 1) };
}

async function readLine(terminal: Terminal): Promise<string> {
  let line = "";
  for await (const chunk of terminal.input) {
    line += String(chunk);
    if (line.includes("\n")) break;
  }
  return line.split("\n")[0] ?? "";
}
