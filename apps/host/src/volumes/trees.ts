/** How one kind of store makes, copies and removes the trees that volumes are made of. Paths are the host's own. */
export interface Trees {
  kind: "btrfs" | "plain";
  create(path: string): Promise<void>;
  /** Makes `to`, which is not there yet, in one step or under a name of its own before. */
  copy(from: string, to: string, options: { readOnly: boolean }): Promise<void>;
  /** Nothing happens when it is not there. */
  remove(path: string): Promise<void>;
  /** Paths at which the two copies may differ, relative to their tops; null when only a walk can tell. */
  touched(from: string, to: string): Promise<Set<string> | null>;
  usage(path: string): Promise<number>;
  /** A hard limit in bytes, or none; nothing happens where the store has no limits. */
  limit(path: string, bytes: number | undefined): Promise<void>;
  hasLimits: boolean;
}
