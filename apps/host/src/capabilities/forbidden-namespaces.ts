import type { Finding } from "@alcove/contract/api/account";
import { existsSync, readFileSync } from "node:fs";

/** Settings of the kernel that can forbid user namespaces: the value that does, and one that does not. The last two bind ordinary users only. */
const settings = [
  { name: "user.max_user_namespaces", forbids: "0", allows: "28633", alsoForRoot: true },
  { name: "kernel.unprivileged_userns_clone", forbids: "0", allows: "1", alsoForRoot: false },
  // Ubuntu since 23.10: programs without an AppArmor profile may not.
  { name: "kernel.apparmor_restrict_unprivileged_userns", forbids: "1", allows: "0", alsoForRoot: false },
];

/** The setting that forbids this user to make user namespaces, as a finding; null when they are allowed. */
export function forbiddenNamespaces(root: boolean, sysctl = "/proc/sys"): Finding | null {
  for (const { name, forbids, allows, alsoForRoot } of settings) {
    const file = `${sysctl}/${name.replaceAll(".", "/")}`;
    if ((root && !alsoForRoot) || !existsSync(file) || readFileSync(file, "utf8").trim() !== forbids) continue;
    return {
      id: "user-namespaces",
      level: "broken",
      title: "User namespaces are allowed",
      detail: `Workspaces cannot start: ${name} is ${forbids}.`,
      remedy: `sudo sysctl -w ${name}=${allows}`,
    };
  }
  return null;
}
