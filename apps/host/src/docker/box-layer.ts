import { mkdir, symlink, writeFile } from "node:fs/promises";
import { resolverLines } from "../network/resolver-file.ts";
import { isInTree, readInTree } from "./image-facts.ts";

/** What a box needs of its root and an image may not have. */
const folders = ["home", "mnt", "opt", "root", "srv", "tmp", "var", "var/tmp", "workspace"];
const boxUser = "1000";

/**
 * Writes the layer that lies over an image's tree: the user, its rights, and the places of what is mounted. Nothing is written into the tree itself, whose links may
 * lead anywhere.
 */
export async function writeBoxLayer(tree: string, layer: string, shell: string): Promise<void> {
  for (const folder of ["etc/sudoers.d", "opt/alcove", ...folders.filter((name) => !isInTree(tree, name))])
    await mkdir(`${layer}/${folder}`, { recursive: true, mode: 0o755 });
  const write = (name: string, text: string, mode = 0o644): Promise<void> =>
    writeFile(`${layer}/etc/${name}`, text, { mode });
  const linesOf = (name: string): string[] => readInTree(tree, `etc/${name}`).split("\n").filter(Boolean);
  /** Adds a line where none has this value in this field. */
  const add = async (name: string, added: string[], field: number, mode?: number): Promise<void> => {
    const lines = linesOf(name);
    const isKnown = (line: string): boolean =>
      lines.some((other) => other.split(":")[field] === line.split(":")[field]);
    await write(name, `${[...lines, ...added.filter((line) => !isKnown(line))].join("\n")}\n`, mode);
  };
  const user = `user:x:${boxUser}:${boxUser}:User:/workspace/user/home:${shell}`;
  await add("passwd", ["root:x:0:0:root:/root:/bin/sh", user], 2);
  await add("group", ["root:x:0:", `user:x:${boxUser}:`], 2);
  const userName = [...linesOf("passwd"), user].find((line) => line.split(":")[2] === boxUser)?.split(":")[0];
  await add("shadow", ["root:*:19000:0:99999:7:::", `${userName}:*:19000:0:99999:7:::`], 0, 0o640);
  await write("sudoers.d/alcove", `#${boxUser} ALL=(ALL) NOPASSWD:ALL\n`, 0o440);
  await write("resolv.conf", resolverLines);
  await write("hostname", "box\n");
  await write("hosts", "127.0.0.1 localhost\n");
  await symlink("../proc/self/mounts", `${layer}/etc/mtab`);
}
