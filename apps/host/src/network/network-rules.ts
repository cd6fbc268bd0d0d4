import type { Network } from "@alcove/contract/api/network";
import { networkProxyPort } from "@alcove/contract/box/raw";
import { isIPv6 } from "node:net";
import { closedV4, closedV6 } from "./closed-addresses.ts";

/** The box's way out, a device that slirp4netns makes in its namespace. */
export const egressDevice = "tap0";

/** Where the host process listens inside the box: its resolver, and the proxy to which an allow-list sends every TCP connection. */
export const inBox = {
  resolver: { address: "127.0.0.53", port: 53 },
  proxy: { address: "127.0.0.1", port: networkProxyPort },
};

/**
 * The rules that the host puts into the box's network namespace (nft(8)), in one step, in place of those before where there may be some: the kernel takes 20 ms
 * to take rules away, also those that were never used. Root in the box has no NET_ADMIN and cannot touch them. Refused at once, never dropped, and TCP by a reset, which also ends a connect that is still in its system call: a program in the box learns it
 * without waiting. What the box says to itself stays open in every mode: the daemon's gateway port is there.
 */
export function networkRules(mode: Network["mode"], own: readonly string[], before: "none" | "some" = "some"): string {
  const v4 = [...closedV4, ...own.filter((address) => !isIPv6(address))];
  const v6 = [...closedV6, ...own.filter((address) => isIPv6(address))];
  return `${before === "some" ? takeAway : ""}table inet alcove {
  set closed4 { type ipv4_addr; flags interval; auto-merge; elements = { ${v4.join(", ")} } }
  set closed6 { type ipv6_addr; flags interval; auto-merge; elements = { ${v6.join(", ")} } }
${mode === "allow-list" ? redirectToProxy : ""}  chain output {
    type filter hook output priority 0; policy accept;
${resolverPace}    oifname "lo" accept
${mode === "allow-list" ? toProxy : ""}${mode === "open" ? refuseClosed : refuseAll}  }
  chain leaving {
    type filter hook postrouting priority 0; policy accept;
    oifname "lo" accept
${mode === "open" ? dropClosed : "    drop\n"}  }
  chain forward {
    type filter hook forward priority 0; policy drop;
  }
}
`;
}

const takeAway = "table inet alcove\ndelete table inet alcove\n";

/** The host process is one for all boxes: none may keep it busy with questions alone. */
const resolverPace = `    ip daddr ${inBox.resolver.address} udp dport 53 limit rate over 200/second burst 400 packets reject with icmpx type admin-prohibited
    ip daddr ${inBox.resolver.address} tcp dport 53 tcp flags & (syn | ack) == syn limit rate over 20/second burst 60 packets reject with tcp reset
`;

const toProxy = `    ct status dnat ct state new limit rate over 50/second burst 250 packets reject with tcp reset
    ct status dnat accept
`;

const refuseClosed = `    meta l4proto tcp ip daddr @closed4 reject with tcp reset
    meta l4proto tcp ip6 daddr @closed6 reject with tcp reset
    ip daddr @closed4 reject with icmpx type admin-prohibited
    ip6 daddr @closed6 reject with icmpx type admin-prohibited
`;

const refuseAll = `    meta l4proto tcp reject with tcp reset
    reject with icmpx type admin-prohibited
`;

/** Nothing comes here that was not refused before, unless a socket bound to the device led a redirected packet out of it: that is seen in this hook alone. */
const dropClosed = `    ip daddr @closed4 drop
    ip6 daddr @closed6 drop
`;

/** A closed address is not for the proxy: it is refused like in every other mode, before a connection seems to come about. */
const redirectToProxy = `  chain to_proxy {
    type nat hook output priority -100; policy accept;
    oifname "lo" accept
    ip daddr @closed4 accept
    meta nfproto ipv4 meta l4proto tcp redirect to :${inBox.proxy.port}
  }
`;
