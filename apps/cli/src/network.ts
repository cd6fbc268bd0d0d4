import { domainToASCII } from "node:url";
import { hostPatternSchema, plainHostName, type Network } from "@alcove/contract/api/network";
import { CodedError } from "@alcove/contract/errors";

export const networkChanges = ["open", "none", "allow", "deny"] as const;
export type NetworkChange = (typeof networkChanges)[number];

/** The network that the words ask for; `bad_request` when they do not fit together or with what is set. */
export function changeNetwork(before: Network, change: NetworkChange, words: readonly string[]): Network {
  const hosts = words.map(readHost);
  if (change === "open" || change === "none") {
    if (hosts.length > 0) throw new CodedError("bad_request", `"${change}" takes no hosts.`);
    return { ...before, mode: change };
  }
  if (hosts.length === 0)
    throw new CodedError("bad_request", `"${change}" needs the hosts.`, { hint: example(change) });
  if (change === "allow") {
    // After `none` only what is named now is allowed: an earlier list does not come back unasked.
    const earlier = before.mode === "none" ? [] : before.allow;
    return { mode: "allow-list", allow: [...new Set([...earlier, ...hosts])] };
  }
  const unknown = hosts.filter((host) => !before.allow.includes(host));
  if (unknown.length > 0)
    throw new CodedError("bad_request", `Not on the allow-list: ${unknown.join(", ")}`, {
      hint:
        before.mode === "open"
          ? "The network is open: allow the hosts that it may reach, and all others are denied."
          : "`alcove ws network WORKSPACE` prints the allow-list.",
    });
  return { ...before, allow: before.allow.filter((host) => !hosts.includes(host)) };
}

/** What a workspace may reach, for people. */
export function describeNetwork({ mode, allow }: Network): string {
  if (mode === "open") return "open: every public host\n";
  if (mode === "none" || allow.length === 0) return `${mode}: nothing but the model gateway\n`;
  return `allow-list:\n${allow.map((host) => `  ${host}\n`).join("")}`;
}

/** A host as patterns are written; an international name in its ASCII form. */
function readHost(word: string): string {
  const [star, name] = word.startsWith("*.") ? ["*.", word.slice(2)] : ["", word];
  const pattern = hostPatternSchema.safeParse(star + plainHostName(domainToASCII(name)));
  if (pattern.success) return pattern.data;
  throw new CodedError("bad_request", `"${word}" is not a host name.`, { hint: example("allow") });
}

const example = (change: "allow" | "deny"): string =>
  `Name hosts without scheme, path or port: alcove ws network WORKSPACE ${change} registry.npmjs.org '*.example.com'`;
