import { BlockList, isIPv4, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/** Addresses that no box reaches in any mode, by the registries of special-purpose addresses (RFC 6890 and what came after it); those for examples stay open. */
export const closedV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/4",
  "240.0.0.0/4",
];
/** With the forms that carry an IPv4 address: compatible, mapped, translated (NAT64), Teredo and 6to4. */
export const closedV6 = [
  "::/96",
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

/** The addresses of the host itself: what listens on a public one is as little for boxes as what listens on its loopback. */
export function hostAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address);
}

// One list for each family: in a common one an IPv4 address also falls under the mapped form of IPv6.
const rangesV4 = new BlockList();
const rangesV6 = new BlockList();
for (const range of closedV4) rangesV4.addSubnet(...subnet(range), "ipv4");
for (const range of closedV6) rangesV6.addSubnet(...subnet(range), "ipv6");

/** True for an address that no box may reach: a closed range, one of the host's `own` addresses, or what is no address at all. */
export function isClosedAddress(address: string, own: readonly string[]): boolean {
  if (isIPv4(address)) return rangesV4.check(address, "ipv4") || own.includes(address);
  if (!isIPv6(address) || rangesV6.check(address, "ipv6")) return true;
  const same = new BlockList();
  for (const mine of own) if (isIPv6(mine)) same.addAddress(mine, "ipv6");
  return same.check(address, "ipv6");
}

function subnet(range: string): [string, number] {
  const [address = "", bits = ""] = range.split("/");
  return [address, Number(bits)];
}
