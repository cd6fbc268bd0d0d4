import { resolverLines } from "../network/resolver-file.ts";
import { openRootFiles } from "./root-files.ts";

const boxUser = "1000";

/**
 * What every box has, whatever its root is made of: the user, its rights, its resolver, and the places of what is mounted. May be repeated. `owner` is the id on
 * the disk of the box's root; nothing that the tree's links say leads out of it.
 */
export async function addBoxFiles(top: string, owner = 0): Promise<void> {
  using files = openRootFiles(top, owner);
  for (const folder of ["workspace", "opt/alcove", "etc/sudoers.d", "tmp", "proc", "sys", "dev", "run"])
    files.folder(folder);
  const shell = files.has("bin/bash") ? "/bin/bash" : "/bin/sh";
  /** Whoever had the user's name or number before gives it up: the box's user is found by either. */
  const replaceLine = (name: string, line: string, mode: number, idField?: number): void => {
    const kept = (files.read(`etc/${name}`) ?? "").split("\n").filter((other) => {
      const fields = other.split(":");
      return other !== "" && fields[0] !== "user" && (idField === undefined || fields[idField] !== boxUser);
    });
    files.write(`etc/${name}`, `${[...kept, line].join("\n")}\n`, mode);
  };
  replaceLine("passwd", `user:x:${boxUser}:${boxUser}:User:/workspace/user/home:${shell}`, 0o644, 2);
  replaceLine("group", `user:x:${boxUser}:`, 0o644, 2);
  replaceLine("shadow", "user:*:19000:0:99999:7:::", 0o640);
  replaceLine("gshadow", "user:!::", 0o640);
  files.write("etc/sudoers.d/user", "user ALL=(ALL) NOPASSWD:ALL\n", 0o440);
  files.write("etc/resolv.conf", resolverLines, 0o644);
  files.write("etc/hostname", "box\n", 0o644);
  files.write("etc/hosts", "127.0.0.1 localhost\n", 0o644);
  files.write("etc/machine-id", "", 0o644);
  files.link("etc/mtab", "../proc/self/mounts");
  // It is nobody else's computer: pip may install for its user, as it did before distributions forbade it (PEP 668).
  if (!files.has("etc/pip.conf")) files.write("etc/pip.conf", "[global]\nbreak-system-packages = true\n", 0o644);
  // Packages must not try to start services: there is no init system in a box.
  if (files.has("usr/sbin")) files.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755);
}
