/** A row that people ask for by its id, or by its owner and name. */
interface Named {
  readonly id: string;
  readonly ownerId: string;
  readonly name: string;
}

/**
 * The newest rows as they are in the database. A row is remembered while nothing changes it, and only while `alone` says that nobody else can: what two
 * replicas change is looked at each time.
 */
export interface RowMemory<T extends Named> {
  byId(id: string): T | undefined;
  byName(owner: string, name: string): T | undefined;
  /** Remembers what the look gives, unless something was changed meanwhile. */
  look(read: () => Promise<T | undefined>): Promise<T | undefined>;
  /** Remembers the row as the change leaves it, unless another change of it goes on beside. */
  change(id: string, write: () => Promise<T | undefined>): Promise<T | undefined>;
  /** One row, or all, were changed by somebody else. */
  forget(id?: string): void;
}

const limit = 5_000;

export function createRowMemory<T extends Named>(alone: () => boolean): RowMemory<T> {
  const rows = new Map<string, T>();
  const ids = new Map<string, string>();
  const writing = new Map<string, { count: number; overlapped: boolean }>();
  let changes = 0;

  const nameKey = (owner: string, name: string) => `${owner} ${name}`;

  const forget: RowMemory<T>["forget"] = (id) => {
    changes += 1;
    if (id === undefined) {
      rows.clear();
      ids.clear();
      return;
    }
    const row = rows.get(id);
    if (row) ids.delete(nameKey(row.ownerId, row.name));
    rows.delete(id);
  };

  const remember = (row: T): void => {
    if (!alone()) return;
    if (rows.size >= limit) forget();
    rows.set(row.id, row);
    ids.set(nameKey(row.ownerId, row.name), row.id);
  };

  const byId = (id: string): T | undefined => {
    if (alone()) return rows.get(id);
    if (rows.size > 0) forget();
    return undefined;
  };

  return {
    byId,
    byName(owner, name) {
      const id = ids.get(nameKey(owner, name));
      return id === undefined ? undefined : byId(id);
    },
    async look(read) {
      const before = changes;
      const row = await read();
      if (row && changes === before && !writing.has(row.id)) remember(row);
      return row;
    },
    async change(id, write) {
      forget(id);
      const own = writing.get(id) ?? { count: 0, overlapped: false };
      own.overlapped = own.count > 0;
      own.count += 1;
      writing.set(id, own);
      let row: T | undefined;
      try {
        return (row = await write());
      } finally {
        forget(id);
        own.count -= 1;
        if (own.count === 0) writing.delete(id);
        // Of two at once it is not known which the database did last.
        if (row && own.count === 0 && !own.overlapped) remember(row);
      }
    },
    forget,
  };
}
