/** Something that is made when it is needed first, once; a failure is told, and the next need tries again. */
export interface Lazily<T> {
  get(): Promise<T>;
  /** Null as long as nobody needed it. */
  made(): T | null;
}

export function lazily<T>(make: () => Promise<T>): Lazily<T> {
  let making: Promise<T> | null = null;
  let made: T | null = null;
  return {
    get() {
      making ??= make().then(
        (value) => (made = value),
        (error: unknown) => {
          making = null;
          throw error;
        },
      );
      return making;
    },
    made: () => made,
  };
}
