/** Values that are forgotten after a time, at most `limit` of them: the oldest go first. */
export function createExpiringMap<T>(lifeMs: number, limit: number) {
  const entries = new Map<string, { value: T; until: number }>();
  return {
    get(key: string): T | undefined {
      const entry = entries.get(key);
      return entry && entry.until > Date.now() ? entry.value : undefined;
    },
    set(key: string, value: T): void {
      entries.delete(key);
      for (const oldest of entries.keys()) {
        if (entries.size < limit) break;
        entries.delete(oldest);
      }
      entries.set(key, { value, until: Date.now() + lifeMs });
    },
    clear: () => entries.clear(),
  };
}
