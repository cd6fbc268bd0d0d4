import path from "node:path";
import { CodedError } from "@alcove/contract/errors";
import stripJsonComments from "strip-json-comments";
import { z } from "zod";

/** What a box takes over of a devcontainer.json. Paths are relative to the folder that was sent. */
export interface DevContainer {
  readonly name: string | null;
  readonly source:
    | { readonly kind: "image"; readonly image: string }
    | {
        readonly kind: "build";
        readonly dockerfile: string;
        readonly context: string;
        readonly args: Record<string, string>;
      };
  readonly env: Record<string, string>;
  readonly ports: number[];
  /** Shell commands that run once, when the workspace has its first box. */
  readonly onCreate: string[];
  /** Shell commands that run at each start of the box. */
  readonly onStart: string[];
}

const words = z.record(z.string(), z.string());
const command = z.union([
  z.string(),
  z.array(z.string()),
  z.record(z.string(), z.union([z.string(), z.array(z.string())])),
]);
const port = z.union([z.number().int().min(1).max(65_535), z.string()]);

/** The Development Container Specification, devcontainer.json reference (containers.dev), as far as a box can be what it asks for. */
const schema = z.object({
  name: z.string().optional(),
  image: z.string().min(1).optional(),
  build: z
    .object({ dockerfile: z.string().min(1).optional(), context: z.string().optional(), args: words.optional() })
    .passthrough()
    .optional(),
  dockerFile: z.string().optional(),
  context: z.string().optional(),
  containerEnv: words.optional(),
  remoteEnv: z.record(z.string(), z.string().nullable()).optional(),
  forwardPorts: z.array(port).optional(),
  onCreateCommand: command.optional(),
  updateContentCommand: command.optional(),
  postCreateCommand: command.optional(),
  postStartCommand: command.optional(),
});

/** These would ask for rights or for a place that a box does not have, or would leave out what was meant to be in it. */
const refused: Record<string, string> = {
  features: "install what they bring in a Dockerfile",
  dockerComposeFile: "a workspace is one box; name an image or a Dockerfile",
  service: "a workspace is one box; name an image or a Dockerfile",
  runArgs: "limits and network are those of the workspace",
  mounts: "a box has no folders of the server",
  workspaceMount: "the workspace's files are always at /workspace",
  privileged: "boxes have no rights on the server",
  capAdd: "boxes have no rights on the server",
  securityOpt: "boxes have no rights on the server",
  initializeCommand: "it would run on the server itself",
  appPort: "name the ports in forwardPorts",
};
const projects = "/workspace/user/projects";

/** Reads a devcontainer.json, with comments; `file` is its own path in the folder that was sent. Code: `template_invalid`, with the name of the field. */
export function readDevContainer(text: string, file = ".devcontainer/devcontainer.json"): DevContainer {
  const json = parseJson(text);
  const asked = z.record(z.string(), z.unknown()).safeParse(json);
  if (!asked.success) throw invalid("it is not an object");
  for (const [field, instead] of Object.entries(refused))
    if (isSet(asked.data[field])) throw invalid(`"${field}" is not supported: ${instead}`);
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`"${issue?.path.join(".") ?? ""}" ${issue?.message ?? "is wrong"}`);
  }
  const { data } = parsed;
  const known = new Set(["dockerfile", "context", "args"]);
  for (const field of Object.keys(data.build ?? {}))
    if (!known.has(field)) throw invalid(`"build.${field}" is not supported: put it into the Dockerfile`);
  return {
    name: data.name ?? null,
    source: sourceOf(data, file),
    env: { ...replaceAll(data.containerEnv ?? {}), ...replaceAll(withoutNull(data.remoteEnv ?? {})) },
    ports: (data.forwardPorts ?? []).map(portOf),
    onCreate: [data.onCreateCommand, data.updateContentCommand, data.postCreateCommand].flatMap(scripts),
    onStart: scripts(data.postStartCommand),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(stripJsonComments(text, { trailingCommas: true }));
  } catch (error) {
    throw invalid(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function sourceOf(data: z.infer<typeof schema>, file: string): DevContainer["source"] {
  const dockerfile = data.build?.dockerfile ?? data.dockerFile;
  if (dockerfile === undefined) {
    if (data.image !== undefined) return { kind: "image", image: data.image };
    throw invalid('it names neither "image" nor "build.dockerfile"');
  }
  const folder = path.posix.dirname(file);
  const context = inside(path.posix.join(folder, data.build?.context ?? data.context ?? "."), "build.context");
  const full = inside(path.posix.join(folder, dockerfile), "build.dockerfile");
  const relative = path.posix.relative(context, full);
  if (relative.startsWith("..")) throw invalid(`"build.dockerfile" is outside of "build.context"`);
  return { kind: "build", dockerfile: relative, context, args: replaceAll(data.build?.args ?? {}) };
}

function inside(place: string, field: string): string {
  if (place.startsWith("/") || place === ".." || place.startsWith("../"))
    throw invalid(`"${field}" leads out of the folder that was sent`);
  return place;
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

function portOf(text: number | string): number {
  const number = typeof text === "number" ? text : Number(/^(?:localhost:)?(\d{1,5})$/.exec(text)?.[1] ?? "0");
  if (number < 1 || number > 65_535) throw invalid(`"forwardPorts" has "${text}", which is not a port of the box`);
  return number;
}

function scripts(given: z.infer<typeof command> | undefined): string[] {
  if (given === undefined) return [];
  if (typeof given === "string") return [replaceVariables(given)];
  if (Array.isArray(given)) return [given.map((word) => quote(replaceVariables(word))).join(" ")];
  return Object.values(given).flatMap((one) => scripts(one));
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function withoutNull(env: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

function replaceAll(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, replaceVariables(value)]));
}

/** Variables of the specification that a box has an answer to. */
function replaceVariables(text: string): string {
  return text.replaceAll(/\$\{([A-Za-z]+)(?::([^}]*))?\}/g, (whole, name: string) => {
    if (name === "containerWorkspaceFolder") return projects;
    if (name === "containerWorkspaceFolderBasename") return path.posix.basename(projects);
    if (/^(?:localEnv|localWorkspaceFolder|localWorkspaceFolderBasename|containerEnv|devcontainerId)$/.test(name))
      throw invalid(`"${whole}" is not known here`);
    return whole;
  });
}

function invalid(reason: string): CodedError {
  return new CodedError("template_invalid", `Cannot use the devcontainer.json: ${reason}`, {
    hint: "Change it, or write the template as a Dockerfile.",
  });
}
