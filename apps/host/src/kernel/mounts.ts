import { closeSync, openSync, readFileSync } from "node:fs";
import { openInRoot, type Opened } from "./beneath.ts";
import { withFileUser } from "./file-user.ts";
import { check, cString, libc, SystemCallError, systemCall } from "./libc.ts";

const atFdcwd = -100;
const atEmptyPath = 0x1000;
const atRecursive = 0x8000;
const openTreeClone = 1;
const cloneOnExec = 0o2000000;
const moveMount = { fromEmpty: 0x4, throughLinks: 0x10, toEmpty: 0x40 };
const mountAttr = { readOnly: 0x1, noSuid: 0x2, noDev: 0x4, idMap: 0x100000 };
const privately = 0x4_0000;
const detach = 2;
const umountNoFollow = 8;

export type BindOptions = {
  /** Users appear shifted by the map of this user namespace: the files keep plain ids. */
  userNamespace?: string;
  readOnly?: boolean;
  noSuid?: boolean;
};

/**
 * Binds a folder or file of the host at the target (open_tree(2), mount_setattr(2), move_mount(2)); devices in it never work. Links in the target are followed: a target in
 * what a box wrote is given as the path of something open.
 */
export function bindMount(source: string, target: string, options: BindOptions = {}): void {
  const tree = systemCall("open_tree", 428, atFdcwd, cString(source), openTreeClone | cloneOnExec);
  let namespace = -1;
  try {
    let set = mountAttr.noDev;
    if (options.readOnly) set |= mountAttr.readOnly;
    if (options.noSuid) set |= mountAttr.noSuid;
    if (options.userNamespace !== undefined) {
      namespace = openSync(options.userNamespace, "r");
      set |= mountAttr.idMap;
    }
    // struct mount_attr { u64 attr_set, attr_clr, propagation, userns_fd }
    const attributes = Buffer.alloc(32);
    attributes.writeBigUInt64LE(BigInt(set), 0);
    if (namespace >= 0) attributes.writeBigUInt64LE(BigInt(namespace), 24);
    systemCall("mount_setattr", 442, tree, cString(""), atEmptyPath | atRecursive, attributes, attributes.length);
    systemCall(
      "move_mount",
      429,
      tree,
      cString(""),
      atFdcwd,
      cString(target),
      moveMount.fromEmpty | moveMount.throughLinks,
    );
  } finally {
    if (namespace >= 0) closeSync(namespace);
    closeSync(tree);
  }
}

/** A copy of the mount at the path and of all below it (open_tree(2)), which is nowhere until it is moved somewhere, and hears of no change elsewhere. */
export function copyMounts(path: string): Opened {
  const fd = systemCall("open_tree", 428, atFdcwd, cString(path), openTreeClone | cloneOnExec | atRecursive);
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(BigInt(privately), 16);
  systemCall("mount_setattr", 442, fd, cString(""), atEmptyPath | atRecursive, attributes, attributes.length);
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/**
 * Makes the tree the root of the mount namespace that the calling thread is in, and of every process that has its present root (pivot_root(2)). What is mounted at the
 * `kept` paths moves to the same places of the tree, whose links lead nowhere out of it; all else is unmounted. `at` is a folder of the present root, for a moment.
 */
export function changeRoot(tree: Opened, { kept, at }: { kept: readonly string[]; at: string }): void {
  const here = cString("");
  systemCall("move_mount", 429, tree.fd, here, atFdcwd, cString(at), moveMount.fromEmpty);
  for (const path of kept) {
    using place = openInRoot(tree, path);
    systemCall("move_mount", 429, atFdcwd, cString(path), place.fd, here, moveMount.toEmpty);
  }
  check("fchdir", libc.fchdir(tree.fd));
  // The old root lies over the new one then, and is what "." is for umount2.
  check("pivot_root", libc.pivot_root(cString("."), cString(".")));
  check("umount2", libc.umount2(cString("."), detach));
}

/** Mounts a file system; `flags` as of mount(2). */
export function mount(type: string, source: string, target: string, flags: number, data: string): void {
  check(`mount ${type}`, libc.mount(cString(source), cString(target), cString(type), BigInt(flags), cString(data)));
}

/**
 * An overlay of read-only lower folders (topmost first) and one upper folder with its work folder, which share a file system. It writes to the upper folder `as` a
 * user that the folder's mount maps: where it cannot, the kernel makes the overlay read-only without a word.
 */
export function mountOverlay(
  target: string,
  layers: { lower: string[]; upper: string; work: string; userXattr: boolean; as: number },
): void {
  const escape = (path: string): string => path.replaceAll(/[\\,:]/g, (sign) => `\\${sign}`);
  const data = [
    `lowerdir=${layers.lower.map(escape).join(":")}`,
    `upperdir=${escape(layers.upper)}`,
    `workdir=${escape(layers.work)}`,
  ];
  if (layers.userXattr) data.push("userxattr");
  withFileUser(layers.as, () => mount("overlay", "overlay", target, 0, data.join(",")));
}

/** Takes the mount away now, from its users when the last one is done; nothing happens where none is. */
export function unmount(target: string): void {
  try {
    check("umount2", libc.umount2(cString(target), detach | umountNoFollow));
  } catch (error) {
    if (error instanceof SystemCallError && (error.code === "EINVAL" || error.code === "ENOENT")) return;
    throw error;
  }
}

export type MountEntry = { target: string; type: string; source: string; options: string[]; superOptions: string[] };

/** The mounts that this process sees, in their order (proc(5), mountinfo). */
export function listMounts(): MountEntry[] {
  const plain = (text = ""): string =>
    text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
  return readFileSync("/proc/self/mountinfo", "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [head = "", tail = ""] = line.split(" - ");
      const [, , , , target, options = ""] = head.split(" ");
      const [type = "", source, superOptions = ""] = tail.split(" ");
      return {
        target: plain(target),
        type,
        source: plain(source),
        options: options.split(","),
        superOptions: superOptions.split(","),
      };
    });
}

/** Unmounts everything at and below the folder. A mount takes with it what is mounted below it: the kernel waits for each that it is told to take away. */
export function unmountBelow(folder: string): void {
  const tops: string[] = [];
  for (const { target } of listMounts()) {
    if (target !== folder && !target.startsWith(`${folder}/`)) continue;
    if (!tops.some((top) => target.startsWith(`${top}/`))) tops.push(target);
  }
  for (const top of tops.toReversed()) unmount(top);
}
