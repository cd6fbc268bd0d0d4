import type { TreeRecipe } from "@alcove/contract/host";
import { z } from "zod";
import { mustRun } from "../kernel/command.ts";
import { openRootFiles } from "./root-files.ts";

const packageSchema = z.object({ version: z.string() });

/** What is really installed of the recipe's packages, by their names, with the versions of their makers (deb-version(7)). */
export async function readTools(tree: string, recipe: TreeRecipe): Promise<Record<string, string>> {
  const tools: Record<string, string> = {};
  using files = openRootFiles(tree, 0);
  const npmVersion = (path: string): string | undefined =>
    packageSchema.safeParse(JSON.parse(files.read(path) ?? "null")).data?.version;
  if (recipe.node !== null) {
    tools["node"] = npmVersion("usr/local/share/node/package.json") ?? recipe.node.version;
    tools["npm"] = npmVersion("usr/local/lib/node_modules/npm/package.json") ?? recipe.node.npm;
  }
  for (const { name, version } of recipe.npm)
    tools[name] = npmVersion(`usr/local/lib/node_modules/${name}/package.json`) ?? version;
  if (recipe.packages.length === 0) return tools;
  const format = "--showformat=${Package} ${Version}\\n";
  const lines = await mustRun(["dpkg-query", `--admindir=${tree}/var/lib/dpkg`, "--show", format, ...recipe.packages]);
  for (const line of lines.trim().split("\n")) {
    const [name, version] = line.split(" ");
    if (name !== undefined && version !== undefined) tools[name] = makersVersion(version);
  }
  return tools;
}

/** `2:1.19.8-2` is 1.19.8. */
function makersVersion(version: string): string {
  return version
    .replace(/^\d+:/, "")
    .replace(/-[^-]*$/, "")
    .replace(/[+~].*$/, "");
}
