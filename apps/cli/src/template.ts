import { openAsBlob } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Template, TemplateVersion } from "@alcove/contract/api/template";
import { CodedError } from "@alcove/contract/errors";
import type { Client } from "@alcove/sdk/client";
import { type Command, InvalidArgumentError } from "commander";
import { formatBytes, formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

type AddOptions = {
  packages?: string[];
  node?: string;
  archive?: string;
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
    .description("add a template of Debian packages, or of a root file system")
    .argument("<name>", "lower-case letters, digits and hyphens")
    .option("-p, --packages <names>", "Debian packages, with commas", listOfWords)
    .option("--node <version>", "with this version of Node, as in 22")
    .option("-f, --archive <file>", "tar of a root file system or of an OCI image layout, plain, gzipped or by zstd")
    .option("--title <title>", "name for people")
    .option("--description <words>", "what is in it")
    .option("--start <command>", "what starts the program that its workspaces are for")
    .option("--port <port>", "port on which that program listens; may be given again", collectPort)
    .action(async (name: string, { packages, node, archive, port, ...described }: AddOptions) => {
      const { templates } = await client();
      if ((archive === undefined) === (packages === undefined))
        throw new CodedError("bad_request", "Name either packages or an archive.", {
          hint: `As in \`alcove template add ${name} --packages g++,cmake\` or \`--archive root.tar.gz\`.`,
        });
      const added =
        archive === undefined
          ? await templates.add({
              name,
              ...described,
              packages: packages ?? [],
              ...(node === undefined ? {} : { node }),
              ...(port === undefined ? {} : { ports: port }),
            })
          : await templates.upload(
              { name, ...described, ...(port === undefined ? {} : { ports: port.join(",") }) },
              await readArchive(archive),
            );
      if (added.lacks.length > 0) terminal.writeError(`Boxes of it go without ${added.lacks.join(", ")}.\n`);
      terminal.write(`${added.name}\n`);
    });
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

async function readArchive(path: string): Promise<Blob> {
  try {
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
