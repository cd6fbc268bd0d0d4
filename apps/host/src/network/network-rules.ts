import { networkInterfaces } from "node:os";
import { isIPv6 } from "node:net";

/** Address of the resolver that slirp4netns offers to the box and answers from the host's own resolver, wherever that is. */
export const resolverAddress = "10.0.2.3";

const closedV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/4",
  "240.0.0.0/4",
];
/** With the forms that carry an IPv4 address: mapped, translated (NAT64), Teredo and 6to4. */
const closedV6 = [
  "::/127",
  "::ffff:0:0/96",
  "::ffff:0:0:0/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "2001::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
];

/** The public addresses of the host itself: what listens there is as little for boxes as what listens on its loopback. */
export function hostAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address);
}

/**
 * The rules that the host puts into the box's network namespace (nft(8)); root in the box has no NET_ADMIN and cannot touch them. Refused at once, never
 * dropped, and TCP by a reset, which also ends a connect that is still in its system call: a program in the box learns it without waiting. Of the resolver only its port is open, because slirp4netns would pass on any other one too.
 */
export function networkRules(own: string[]): string {
  const v4 = [...closedV4, ...own.filter((address) => !isIPv6(address))];
  const v6 = [...closedV6, ...own.filter((address) => isIPv6(address))];
  return `table inet alcove {
  set closed4 { type ipv4_addr; flags interval; auto-merge; elements = { ${v4.join(", ")} } }
  set closed6 { type ipv6_addr; flags interval; auto-merge; elements = { ${v6.join(", ")} } }
  chain output {
    type filter hook output priority 0; policy accept;
    oifname "lo" accept
    ip daddr ${resolverAddress} meta l4proto { tcp, udp } th dport 53 accept
    meta l4proto tcp ip daddr @closed4 reject with tcp reset
    meta l4proto tcp ip6 daddr @closed6 reject with tcp reset
    ip daddr @closed4 reject with icmpx type admin-prohibited
    ip6 daddr @closed6 reject with icmpx type admin-prohibited
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
  }
}
`;
}
