import { createHash } from "node:crypto";
import type { TreeRecipe } from "@alcove/contract/host";

/** Raised when the same recipe would give another root file system. */
const recipeVersion = 1;

/** The content id of the root file system that the recipe makes. */
export function treeId({ packages, node, npm }: TreeRecipe): string {
  return createHash("sha256")
    .update(
      JSON.stringify([
        recipeVersion,
        packages.toSorted(),
        node && [node.version, node.npm],
        npm.map((one) => [one.name, one.version]),
      ]),
    )
    .digest("hex")
    .slice(0, 16);
}
