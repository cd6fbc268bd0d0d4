import { run } from "./project.ts";

/** Names of those Debian packages that are not installed; none where dpkg is not there to ask. */
export async function missingPackages(names: readonly string[]): Promise<string[]> {
  const found = await run("dpkg-query", ["-W", "-f", "${binary:Package} ${db:Status-Status}\n", ...names]).catch(
    () => null,
  );
  if (!found) return [];
  const installed = new Set<string>();
  for (const line of found.output.split("\n")) {
    const [name, status] = line.split(" ");
    if (name !== undefined && status === "installed") installed.add(name.replace(/:.*/, ""));
  }
  return names.filter((name) => !installed.has(name));
}

/** Installs the packages with apt as root; gives null, or the end of what apt wrote when it failed. Never asks. */
export async function installPackages(names: readonly string[]): Promise<string | null> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = () => run("apt-get", ["install", "-y", "--no-install-recommends", ...names], env);
  const first = await install().catch(() => null);
  if (!first) return "apt-get is not there";
  if (first.exitCode === 0) return null;
  // The lists of a new machine are empty or old.
  await run("apt-get", ["update"], env);
  const second = await install();
  return second.exitCode === 0 ? null : second.output.trim().split("\n").slice(-5).join("\n");
}

/** The command that a user without root rights can hand to somebody who has them. */
export const installCommand = (names: readonly string[]) =>
  `sudo apt-get install -y --no-install-recommends ${names.join(" ")}`;

/** What boxes need on the host. */
export const boxPackages = [
  "crun",
  "uidmap",
  "nftables",
  "iproute2",
  "btrfs-progs",
  "mmdebstrap",
  "tmux",
  "slirp4netns",
] as const;
