/** How long a name stays known for an address, in ms: programs keep what they looked up far longer than its TTL. */
const keptMs = 3_600_000;
const largest = 4_096;

export type KnownNames = ReturnType<typeof createKnownNames>;

/** What the resolver told a box: a connection that names no host is judged by the names that led to its address. Bounded; the oldest is forgotten first. */
export function createKnownNames(now: () => number = Date.now) {
  const known = new Map<string, { address: string; name: string; until: number }>();
  const key = (address: string, name: string): string => `${address} ${name}`;
  return {
    add(address: string, name: string): void {
      known.delete(key(address, name));
      known.set(key(address, name), { address, name, until: now() + keptMs });
      for (const oldest of known.keys()) {
        if (known.size <= largest) break;
        known.delete(oldest);
      }
    },
    has: (address: string, name: string): boolean => (known.get(key(address, name))?.until ?? 0) > now(),
    /** Names of the address, the latest first. */
    of: (address: string): string[] =>
      [...known.values()]
        .flatMap((entry) => (entry.address === address && entry.until > now() ? [entry.name] : []))
        .toReversed(),
  };
}
