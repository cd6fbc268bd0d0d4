import type { Attempt } from "./attempt.ts";

/** What the world around the box has: every address of it answers `canary` at the port. */
export interface Surroundings {
  port: number;
  /** Addresses of the host and of networks that are never reachable, by what they are. */
  closed: { what: string; address: string }[];
}

/** The network. An answer of the canary is the only proof of an escape: behind a proxy a connect may seem to succeed. */
export const networkAttempts = ({ port, closed }: Surroundings): Attempt[] => [
  ...closed.map(({ what, address }): Attempt => ({
    tried: `connect to ${what}, ${address}`,
    must: "no answer",
    why: "a box reaches the public network and its model gateway, nothing else",
    perl: `print connectTo(${address.includes(":") ? "AF_INET6" : "AF_INET"}, "${address}", ${port});`,
    fails: /^(?!canary)/,
  })),
  {
    tried: "open a raw socket and send from a false address",
    must: "the kernel or the rules refuse it",
    why: "others would answer to somebody else",
    perl: `print("refused"), exit unless socket(my $s, AF_INET, SOCK_RAW, 255); setsockopt($s, 0, 3, pack("i", 1)) or print("refused"), exit; my $packet = pack("CCnnnCCna4a4", 0x45, 0, 20, 1, 0, 64, 17, 0, inet_aton("203.0.113.9"), inet_aton("192.168.77.1")); print send($s, $packet, 0, pack_sockaddr_in(0, inet_aton("192.168.77.1"))) ? "sent" : "refused";`,
    fails: /^refused$/,
  },
  {
    tried: "change the network: link down, new address, new route, rules flushed",
    must: "each is refused",
    why: "the namespace belongs to nobody in the box",
    perl: `print join "|", map { my $text = run($_); $text =~ /not permitted|denied|not found|not supported|Unable|refused|must be root|inaccessible|fail|can't/i ? "refused" : "done: $text" } "ip link set tap0 down", "ip address add 192.168.77.5/24 dev tap0", "ip route add 192.168.0.0/16 dev tap0", "ip neigh add 10.0.2.2 lladdr 02:00:00:00:00:01 dev tap0", "nft flush ruleset";`,
    fails: /^(?:refused\|?){5}$/,
  },
];
