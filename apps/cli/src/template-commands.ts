import { openAsBlob } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CreateTemplate, Template, TemplateVersion } from "@alcove/contract/api/template";
import { CodedError } from "@alcove/contract/errors";
import type { Client } from "@alcove/sdk/client";
import { type Command, InvalidArgumentError } from "commander";
import { create } from "tar";
import { formatBytes, formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

type AddOptions = {
  packages?: string[];
  node?: string;
  archive?: string;
  image?: string;
  dockerfile?: string;
  devcontainer?: string;
  nix?: string;
  title?: string;
  description?: string;
  start?: string;
  port?: number[];
};

const lookEveryMs = 500;

/** `alcove template …`: what new workspaces may begin with. */
export function addTemplateCommands(template: Command, client: () => Promise<Client>, terminal: Terminal): void {
  template
    .command("ls")
    .description("list templates: the catalogue's, then your own")
    .option("--json", "print JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      const { items } = await (await client()).templates.list();
      terminal.write(json ? `${JSON.stringify(items)}\n` : describeTemplates(items));
    });
  template
    .command("add")
    .description(
      "add a template of Debian packages, a root file system, a Nix expression, or on Docker an image, a Dockerfile or a devcontainer.json",
    )
    .argument("<name>", "lower-case letters, digits and hyphens")
    .option("-p, --packages <names>", "Debian packages, with commas", listOfWords)
    .option("--node <version>", "with this version of Node, as in 22")
    .option("-f, --archive <file>", "tar of a root file system or of an OCI image layout, plain, gzipped or by zstd")
    .option("--image <image>", "image that the server's Docker has")
    .option("--dockerfile <file>", "Dockerfile; the folder in which it is is sent with it")
    .option("--devcontainer <folder>", "folder with .devcontainer/devcontainer.json, which is sent as a whole")
    .option("--nix <file>", "workspace.nix or flake.nix, which the server's Nix builds")
    .option("--title <title>", "name for people")
    .option("--description <words>", "what is in it")
    .option("--start <command>", "what starts the program that its workspaces are for")
    .option("--port <port>", "port on which that program listens; may be given again", collectPort)
    .action(
      async (
        name: string,
        { packages, node, archive, image, dockerfile, devcontainer, nix, port, ...words }: AddOptions,
      ) => {
        const { templates } = await client();
        const sources = [packages, archive, image, dockerfile, devcontainer, nix].filter((one) => one !== undefined);
        if (sources.length !== 1)
          throw new CodedError(
            "bad_request",
            "Name one of packages, archive, image, dockerfile, devcontainer and nix.",
            {
              hint: `As in \`alcove template add ${name} --packages g++,cmake\` or \`--archive root.tar.gz\`.`,
            },
          );
        const described = { name, ...words };
        const upload = { ...described, ...(port === undefined ? {} : { ports: port.join(",") }) };
        const add = async (): Promise<Template> => {
          if (archive !== undefined) return templates.upload(upload, await readArchive(archive));
          if (dockerfile !== undefined)
            return sendFolder(path.dirname(dockerfile), (body) =>
              templates.upload({ ...upload, dockerfile: path.basename(dockerfile) }, body),
            );
          if (devcontainer !== undefined)
            return sendFolder(devcontainer, async (body) =>
              templates.upload({ ...upload, devcontainer: await findDevContainer(devcontainer) }, body),
            );
          return templates.add({
            ...described,
            ...(packages === undefined ? {} : { packages }),
            ...(image === undefined ? {} : { image }),
            ...(nix === undefined ? {} : { nix: await readExpression(nix) }),
            ...(node === undefined ? {} : { node }),
            ...(port === undefined ? {} : { ports: port }),
          });
        };
        const added = await add();
        if (added.lacks.length > 0) terminal.writeError(`Boxes of it go without ${added.lacks.join(", ")}.\n`);
        terminal.write(`${added.name}\n`);
      },
    );
  template
    .command("build")
    .description("build a template now instead of when it is first used, and wait for it")
    .argument("<name>", "name, or name@version")
    .action(async (wanted: string) => {
      const { templates } = await client();
      const [name = "", version] = wanted.split("@", 2);
      let told = "";
      let state = versionOf(await templates.build(name, version === undefined ? {} : { version }), version);
      while (state.state === "building") {
        if (state.detail !== told) terminal.writeError(`${(told = state.detail)}\n`);
        await sleep(lookEveryMs);
        state = versionOf(await templates.get(name), version);
      }
      if (state.state !== "ready") throw new CodedError("template_build_failed", state.detail);
      terminal.write(`${describeVersion(state)}\n`);
    });
  template
    .command("rm")
    .description("delete templates of your own that no workspace has")
    .argument("<name...>", "names")
    .action(async (names: string[]) => {
      const { templates } = await client();
      for (const name of names) await templates.delete(name);
    });
}

/** A line for each version of each template. */
export function describeTemplates(templates: readonly Template[]): string {
  const rows = templates.flatMap((template) =>
    template.versions.map((version, index) => [
      index === 0 ? template.name : `${template.name}@${version.version}`,
      version.state === "missing" ? "not built" : version.state,
      describeVersion(version),
      index === 0 ? template.ports.join(", ") : "",
      index === 0 ? (template.start ?? "") : "",
    ]),
  );
  return formatTable(["name", "state", "what is in it", "ports", "start"], rows);
}

function describeVersion({ state, detail, tools, sizeBytes }: TemplateVersion): string {
  if (state !== "ready") return state === "missing" ? "" : detail;
  const named = Object.entries(tools).map(([tool, version]) => `${tool} ${version}`);
  return [...named, ...(sizeBytes === null ? [] : [formatBytes(sizeBytes)])].join(", ");
}

function versionOf(template: Template, version: string | undefined): TemplateVersion {
  const found = template.versions.find((one) => one.version === (version ?? template.version));
  if (!found) throw new CodedError("template_unknown");
  return found;
}

/** Sends the folder as a tar, which lies in a file meanwhile. */
async function sendFolder(folder: string, send: (body: Blob) => Promise<Template>): Promise<Template> {
  const scratch = await mkdtemp(path.join(tmpdir(), "alcove-folder-"));
  try {
    const file = path.join(scratch, "folder.tar.gz");
    await create({ cwd: folder, file, gzip: true, portable: true }, ["."]).catch((cause: unknown) => {
      throw new CodedError("file_not_found", `Cannot read "${folder}".`, { hint: "Check the path.", cause });
    });
    return await send(await openAsBlob(file));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Where a devcontainer.json may be, by its specification. */
async function findDevContainer(folder: string): Promise<string> {
  for (const place of [".devcontainer/devcontainer.json", ".devcontainer.json"])
    if ((await stat(path.join(folder, place)).catch(() => null))?.isFile()) return place;
  throw new CodedError("file_not_found", `There is no .devcontainer/devcontainer.json in "${folder}".`, {
    hint: "Name the folder in which it is.",
  });
}

/** A file of another name than flake.nix is a workspace.nix. */
async function readExpression(file: string): Promise<NonNullable<CreateTemplate["nix"]>> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new CodedError("file_not_found", `Cannot read "${file}".`, { hint: "Check the path.", cause });
  });
  return { file: path.basename(file) === "flake.nix" ? "flake.nix" : "workspace.nix", text };
}

async function readArchive(path: string): Promise<Blob> {
  try {
    if ((await stat(path)).isDirectory()) throw new Error("it is a folder");
    return await openAsBlob(path);
  } catch (cause) {
    throw new CodedError("file_not_found", `Cannot read "${path}".`, { hint: "Check the path.", cause });
  }
}

function listOfWords(words: string): string[] {
  return words.split(/[\s,]+/).filter((word) => word !== "");
}

function collectPort(text: string, earlier: number[] = []): number[] {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError("It is not a port.");
  return [...earlier, port];
}
