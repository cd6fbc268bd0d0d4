import { treeId } from "@alcove/base/tree-id";
import type { Template, TemplateVersion } from "@alcove/contract/api/template";
import type { RuntimeName, TreeStatus } from "@alcove/contract/host";
import type { ImageRoot } from "../database/schema.ts";
import type { CatalogueTemplate } from "./catalogue.ts";
import type { ImageBuilds } from "./image-builds.ts";
import type { TemplateRow } from "./template-store.ts";

/** What has to be known of a server to show its templates. */
export interface Seen {
  readonly statuses: ReadonlyMap<string, TreeStatus>;
  /** How many of the owner's workspaces have each template. */
  readonly users: ReadonlyMap<string, number>;
  readonly runtimes: readonly RuntimeName[];
  readonly builds: ImageBuilds;
}

export function catalogueView(entry: CatalogueTemplate, seen: Seen): Template {
  const versions = entry.versions.map(({ version, recipe }) =>
    treeVersion(version, seen.statuses.get(treeId(recipe)), entry.shows),
  );
  const { version = "", state = "missing" as const, detail = "" } = versions[0] ?? {};
  const { name, title, description, start } = entry;
  return {
    name,
    title,
    description,
    version,
    state,
    detail,
    versions,
    source: "catalogue",
    start,
    ports: [...entry.ports],
    runtimes: [...seen.runtimes],
    lacks: [],
    workspaces: seen.users.get(name) ?? 0,
  };
}

export function ownView(row: TemplateRow, seen: Seen): Template {
  const { name, title, description, start, ports, source, lacks, root } = row;
  const only = root.kind === "tree" ? treeVersion("", seen.statuses.get(root.tree)) : imageVersion(root, seen);
  return {
    name,
    title,
    description,
    version: only.version,
    state: only.state,
    detail: only.detail,
    versions: [only],
    source,
    start,
    ports,
    runtimes: root.kind === "tree" ? [...seen.runtimes] : ["docker"],
    lacks,
    workspaces: seen.users.get(name) ?? 0,
  };
}

function treeVersion(version: string, status: TreeStatus | undefined, shows?: readonly string[]): TemplateVersion {
  const tools = Object.entries(status?.tools ?? {}).filter(([name]) => shows?.includes(name) ?? true);
  return {
    version,
    state: status?.state ?? "missing",
    detail: status?.detail ?? "",
    percent: status?.percent ?? null,
    tools: Object.fromEntries(tools),
    sizeBytes: status?.sizeBytes ?? null,
  };
}

function imageVersion({ image, build }: ImageRoot, { builds, runtimes }: Seen): TemplateVersion {
  const version = { version: "", percent: null, tools: {}, sizeBytes: null };
  if (!runtimes.includes("docker"))
    return { ...version, state: "failed", detail: "Needs Docker, which does not answer here: see `alcove doctor`" };
  const known = build ? builds.look(build) : { state: "missing" as const };
  if (known.state === "building") return { ...version, state: "building", detail: known.detail };
  if (known.state === "failed") return { ...version, state: "failed", detail: known.error.message };
  if (image !== null) return { ...version, state: "ready", detail: `Image ${image}` };
  return { ...version, state: "missing", detail: "Built when it is first used" };
}
