import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { mustRun, runCommand } from "../kernel/command.ts";
import { addBoxFiles } from "./box-files.ts";

/** Raised when what is written here changes, so that an existing skeleton is made anew beside the old one. */
export const skeletonVersion = 1;

/** What programs of the host's /usr need of /etc; no name here holds a secret, a user of the host or its network. */
const copiedFromEtc = [
  "alternatives",
  "apt/keyrings",
  "apt/preferences.d",
  "apt/sources.list",
  "apt/sources.list.d",
  "apt/trusted.gpg.d",
  "bash.bashrc",
  "bash_completion.d",
  "bindresvport.blacklist",
  "ca-certificates",
  "ca-certificates.conf",
  "chromium",
  "chromium.d",
  "debconf.conf",
  "debian_version",
  "deluser.conf",
  "adduser.conf",
  "dpkg",
  "emacs",
  "fonts",
  "gai.conf",
  "groff",
  "gtk-2.0",
  "gtk-3.0",
  "host.conf",
  "inputrc",
  "issue",
  "java-17-openjdk",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "locale.alias",
  "locale.gen",
  "localtime",
  "login.defs",
  "magic",
  "magic.mime",
  "mailcap",
  "manpath.config",
  "mime.types",
  "nanorc",
  "networks",
  "nsswitch.conf",
  "os-release",
  "pam.conf",
  "pam.d",
  "perl",
  "profile",
  "profile.d",
  "protocols",
  "python3",
  "python3.11",
  "python3.12",
  "python3.13",
  "rpc",
  "security",
  "selinux",
  "services",
  "sgml",
  "shells",
  "skel",
  "ssl/certs",
  "ssl/openssl.cnf",
  "sudo.conf",
  "terminfo",
  "timezone",
  "vim",
  "wgetrc",
  "xattr.conf",
  "xdg",
  "xml",
  "X11",
];

const sudoers = `Defaults env_reset
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
@includedir /etc/sudoers.d
`;

/** Makes the root's lower layer of boxes that run over the host's own /usr: `/` without the host's users, files and secrets. `offset` is added to user ids. About a second. */
export async function makeSkeleton(target: string, offset: number): Promise<void> {
  const fresh = `${target}.new`;
  await rm(fresh, { recursive: true, force: true });
  for (const folder of [
    "boot",
    "dev",
    "etc/apt/apt.conf.d",
    "etc/ssl",
    "home",
    "media",
    "mnt",
    "proc",
    "root",
    "run",
    "srv",
    "sys",
    "usr",
    "var/cache/apt/archives/partial",
    "var/lib/apt/lists/partial",
    "var/lib/pam",
  ]) {
    await mkdir(`${fresh}/${folder}`, { recursive: true, mode: 0o755 });
  }
  for (const folder of ["backups", "lib/misc", "local", "log/apt", "mail", "opt", "spool", "lib/python", "lib/sudo"])
    await mkdir(`${fresh}/var/${folder}`, { recursive: true, mode: 0o755 });
  for (const name of ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]) {
    if ((await stat(`/usr/${name}`).catch(() => null)) !== null) await symlink(`usr/${name}`, `${fresh}/${name}`);
  }
  await mkdir(`${fresh}/tmp`, { mode: 0o1777 });
  await chmod(`${fresh}/tmp`, 0o1777);
  await mkdir(`${fresh}/var/tmp`, { mode: 0o1777 });
  await chmod(`${fresh}/var/tmp`, 0o1777);
  await chmod(`${fresh}/root`, 0o700);
  await symlink("/run", `${fresh}/var/run`);
  await symlink("/run/lock", `${fresh}/var/lock`);
  for (const name of copiedFromEtc) await copyIfThere(`/etc/${name}`, `${fresh}/etc/${name}`);
  await copyIfThere("/var/lib/dpkg", `${fresh}/var/lib/dpkg`);
  for (const name of ["apt/extended_states", "ucf", "python", "xml-core", "sgml-base"])
    await copyIfThere(`/var/lib/${name}`, `${fresh}/var/lib/${name}`);
  await dropSecretSources(`${fresh}/etc/apt`);
  // What not everybody on the host may read is not for boxes either.
  await mustRun(["find", fresh, "-type", "f", "!", "-perm", "-o=r", "-delete"]);
  await rm(`${fresh}/etc/ssl/private`, { recursive: true, force: true });
  await writeSystemUsers(`${fresh}/etc`);
  await writeFile(`${fresh}/etc/sudoers`, sudoers, { mode: 0o440 });
  await addBoxFiles(fresh);
  await mustRun(["chown", "-hR", `${offset}:${offset}`, fresh]);
  await rename(fresh, target);
}

async function copyIfThere(from: string, to: string): Promise<void> {
  if ((await stat(from).catch(() => null)) === null) return;
  await mkdir(to.slice(0, to.lastIndexOf("/")), { recursive: true, mode: 0o755 });
  // It goes on beside what it may not read, and ends with an error then; such files are not wanted anyway.
  await runCommand(["cp", "-a", "--reflink=auto", "--", from, to]);
}

/** A package source with a password in its address is the host owner's. */
async function dropSecretSources(apt: string): Promise<void> {
  for (const name of [
    "sources.list",
    ...(await readdir(`${apt}/sources.list.d`).catch(() => [])).map((file) => `sources.list.d/${file}`),
  ]) {
    const text = await readFile(`${apt}/${name}`, "utf8").catch(() => "");
    if (/:\/\/[^/\s]*@/.test(text)) await rm(`${apt}/${name}`);
  }
}

/** The host's system accounts without its people and passwords. */
async function writeSystemUsers(etc: string): Promise<void> {
  const isSystem = (line: string): boolean => {
    const id = Number(line.split(":")[2]);
    return line !== "" && (id < 1000 || id === 65_534);
  };
  const passwd = (await readFile("/etc/passwd", "utf8"))
    .split("\n")
    .filter(isSystem)
    .map((line) => line.split(":"));
  const group = (await readFile("/etc/group", "utf8"))
    .split("\n")
    .filter(isSystem)
    .map((line) => line.split(":"));
  await writeFile(`${etc}/passwd`, passwd.map(([name, , ...rest]) => `${[name, "x", ...rest].join(":")}\n`).join(""));
  await writeFile(`${etc}/group`, group.map(([name, , id]) => `${name}:x:${id}:\n`).join(""));
  await writeFile(`${etc}/shadow`, passwd.map(([name]) => `${name}:*:19000:0:99999:7:::\n`).join(""), { mode: 0o640 });
  await writeFile(`${etc}/gshadow`, group.map(([name]) => `${name}:*::\n`).join(""), { mode: 0o640 });
}
