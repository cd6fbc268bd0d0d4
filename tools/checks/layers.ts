import { dirname, join, normalize } from "node:path";
import { projectFiles, readProjectFile } from "../project.ts";

/** Folder → folders it may import from. `*` means every folder of its process. */
export type Layers = Map<string, Set<string>>;

/** Imports that the table in ARCHITECTURE.md does not allow. */
export async function findLayerProblems(): Promise<string[]> {
  const layers = parseLayers(await readProjectFile("ARCHITECTURE.md"));
  const paths = await projectFiles(
    "packages/*/src/*.ts",
    "packages/*/src/**/*.ts",
    "apps/*/src/*.ts",
    "apps/*/src/*.tsx",
  );
  const problems: string[] = [];
  for (const path of paths) {
    if (/\.(test|contract)\.tsx?$|\/testing\//.test(path)) continue;
    problems.push(...checkFile(path, await readProjectFile(path), layers));
  }
  return problems;
}

/** The import table: rows whose first two cells hold folders in backquotes. */
export function parseLayers(text: string): Layers {
  const layers: Layers = new Map();
  for (const line of text.split("\n")) {
    const [, folder, imports] = line.split("|");
    const names = codes(folder ?? "");
    if (imports === undefined || names.length === 0) continue;
    for (const name of names) layers.set(name, new Set(codes(imports)));
  }
  return layers;
}

const codes = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");

/** Sentences about the imports of one source file that break the table. */
export function checkFile(path: string, source: string, layers: Layers): string[] {
  const from = layerOf(path);
  const allowed = layers.get(from);
  if (!allowed) return [`${path}: the import table of ARCHITECTURE.md has no row for \`${from}\``];
  return importedFiles(path, source).flatMap((target) => {
    const to = layerOf(target);
    const sameProcess = to.split("/")[0] === from.split("/")[0];
    const short = sameProcess ? to.slice(to.indexOf("/") + 1) : to;
    if (to === from || allowed.has(short) || allowed.has(to) || (sameProcess && allowed.has("*"))) return [];
    return [`${path}: \`${from}\` may not import from \`${short}\` (${target})`];
  });
}

/** The row a file belongs to: `packages/base`, `control-plane/runs`, or `control-plane` for the files at its top. */
function layerOf(path: string): string {
  const parts = path.split("/");
  if (parts[0] === "packages") return `packages/${parts[1]}`;
  const folder = parts.length > 4 ? parts[3] : undefined;
  return folder === undefined ? `${parts[1]}` : `${parts[1]}/${folder}`;
}

/** Files of this project that the source imports, as project paths; imports of types count. */
function importedFiles(path: string, source: string): string[] {
  const specifiers = [
    ...source.matchAll(
      /(?:^|\n|;)\s*(?:import|export)\s[^"';]*?from\s*"([^"]+)"|import\(\s*"([^"]+)"\s*\)|(?:^|\n)import\s+"([^"]+)"/g,
    ),
  ];
  return specifiers.flatMap((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    if (specifier.startsWith(".")) return [normalize(join(dirname(path), specifier))];
    const own = /^@alcove\/([^/]+)\/(.+)$/.exec(specifier);
    return own ? [`packages/${own[1]}/src/${own[2]}.ts`] : [];
  });
}
