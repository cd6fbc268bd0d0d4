import type { Environment } from "../system/environment.ts";
import { parsePath, showPath } from "./path.ts";
import { withResolved } from "./walk.ts";

/** The folder as an absolute path, checked to be one. Gives `path_outside`, `file_not_found`, `not_a_folder`. */
export function workingDirectory(environment: Environment, directory: string | undefined): string {
  const path = parsePath(directory ?? "user/projects");
  return withResolved(environment.root, path, "folder", () => `${environment.root}/${showPath(path)}`);
}
