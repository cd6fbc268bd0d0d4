import { createHash } from "node:crypto";
import type { TreeRecipe } from "@alcove/contract/host";

/** Raised when the same recipe would give another root file system. */
const recipeVersion = 1;

/** The content id of the root file system that the recipe makes. */
export function treeId({ packages, node, npm, nix }: TreeRecipe): string {
  return createHash("sha256")
    .update(
      JSON.stringify([
        recipeVersion,
        packages.toSorted(),
        node && [node.version, node.npm],
        npm.map((one) => [one.name, one.version]),
        // Others keep the id that they had before there were these.
        ...(nix === undefined ? [] : [[nix.file, nix.text]]),
      ]),
    )
    .digest("hex")
    .slice(0, 16);
}
