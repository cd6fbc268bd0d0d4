import { hostPatternSchema } from "@alcove/contract/api/network";

export type HostsEntry = { type: "hosts"; hosts: string[] } | { type: "problem"; problem: string };

/** Host names out of what was typed or pasted: addresses of pages count by their host; what is already there is left out. */
export function hostsEntry(text: string, known: readonly string[]): HostsEntry {
  const words = text
    .split(/[\s,;]+/)
    .map((word) => hostOf(word.toLowerCase()))
    .filter((word) => word !== "");
  const wrong = words.find((word) => !hostPatternSchema.safeParse(word).success);
  if (wrong !== undefined)
    return {
      type: "problem",
      problem: /^[\d.:[\]]+$/.test(wrong)
        ? `${wrong} is an address; the list holds names`
        : `${wrong} is no host name; write it as example.com or *.example.com`,
    };
  const hosts = [...new Set(words)].filter((host) => !known.includes(host));
  if (words.length > 0 && hosts.length === 0)
    return { type: "problem", problem: `${words.join(", ")} ${words.length === 1 ? "is" : "are"} on the list already` };
  return { type: "hosts", hosts };
}

function hostOf(word: string): string {
  const host = word.replace(/^[a-z][a-z0-9+.-]*:\/\//, "").replace(/[/?#].*$/, "");
  return host.replace(/^(.+[a-z]):\d+$/, "$1").replace(/\.$/, "");
}

/** What people usually need, by the name that they know it under. */
export const hostSets: { label: string; hosts: string[] }[] = [
  { label: "npm", hosts: ["registry.npmjs.org"] },
  { label: "PyPI", hosts: ["pypi.org", "files.pythonhosted.org"] },
  { label: "crates.io", hosts: ["crates.io", "index.crates.io", "static.crates.io"] },
  { label: "Go", hosts: ["proxy.golang.org", "sum.golang.org"] },
  { label: "Debian", hosts: ["deb.debian.org", "security.debian.org"] },
  { label: "GitHub", hosts: ["github.com", "*.github.com", "*.githubusercontent.com"] },
];
