import { constants, existsSync } from "node:fs";
import { appendFile, cp, mkdir, readdir, realpath, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { packageVersion } from "../project.ts";
import { pointTo } from "./point-to.ts";

/**
 * Puts npm beside the Node that boxes see at `/opt/alcove/node`, where they can only read. `npm install --global` therefore goes to `/usr/local`, which
 * belongs to each box, by npm's own built-in settings (https://docs.npmjs.com/cli/configuring-npm/npmrc): a workspace's `.npmrc` goes before them.
 */
export async function putBoxNpm(node: string, source: string): Promise<void> {
  // Of a link `cp` would copy the link.
  const npm = await realpath(source);
  const name = `npm-${await packageVersion(npm)}`;
  const library = join(node, "lib");
  const target = join(library, name);
  if (!existsSync(target)) {
    await mkdir(library, { recursive: true, mode: 0o755 });
    const draft = `${target}.draft`;
    await rm(draft, { recursive: true, force: true });
    // Programs of what npm needs are links, which could lead out of the box.
    const filter = (source: string) => basename(source) !== ".bin";
    await cp(npm, draft, { recursive: true, filter, mode: constants.COPYFILE_FICLONE });
    await appendFile(join(draft, "npmrc"), "\nprefix=/usr/local\n", { mode: 0o644 });
    await rename(draft, target);
  }
  for (const program of ["npm", "npx"])
    await pointTo(join(node, "bin", program), `../lib/${name}/bin/${program}-cli.js`);
  for (const other of await readdir(library))
    if (other !== name) await rm(join(library, other), { recursive: true, force: true });
}
