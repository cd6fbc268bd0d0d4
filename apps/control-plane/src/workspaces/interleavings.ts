/** One thing that waits for its turn: a call to the store or the runtime, of one process of the control plane. */
interface Gate {
  readonly label: string;
  readonly process: number;
  open(): void;
}

export interface Gates {
  /** The number of the process that lives now. */
  process(): number;
  /** The call's work happens when the explorer opens its gate, and not before. */
  through<T>(label: string, work: () => T | Promise<T>): Promise<T>;
  /** Names of what may go on, each with the number of its process. */
  labels(): string[];
  open(at: number): void;
  /** Kills the process: its calls that wait are never made. */
  kill(): void;
}

/** Puts calls in every order in which they could happen: each waits for its turn. */
export function createGates(): Gates {
  let waiting: Gate[] = [];
  let process = 0;
  return {
    process: () => process,
    through(label, work) {
      const own = process;
      return new Promise((resolve, reject) => {
        const open = () => {
          try {
            resolve(work());
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        };
        waiting.push({ label, process: own, open });
      });
    },
    labels: () => waiting.map((gate) => `${gate.process}:${gate.label}`),
    open(at) {
      const [gate] = waiting.splice(at, 1);
      gate?.open();
    },
    kill() {
      waiting = waiting.filter((gate) => gate.process !== process);
      process += 1;
    },
  };
}

export interface Scenario {
  /** What may be done next, by name; calls that wait are among them. */
  choices(): string[];
  choose(name: string): void;
  /** Everything that the future depends on, as text. */
  state(): string;
  /** Called where nothing is left to choose: throws when something is wrong. */
  end(): Promise<void>;
}

/** Lets all that can go on go on, until everything waits at a gate. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Walks every order of choices, each state once (depth first, by running the beginning again). Gives how many states and ends there were; an error names the
 * choices that led to it.
 */
export async function exploreAll(begin: () => Promise<Scenario>): Promise<{ states: number; ends: number }> {
  const seen = new Set<string>();
  const paths: string[][] = [[]];
  let ends = 0;
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const scenario = await begin();
    for (const name of path) {
      scenario.choose(name);
      await settle();
    }
    const state = scenario.state();
    if (seen.has(state)) continue;
    seen.add(state);
    const choices = [...new Set(scenario.choices())];
    for (const name of choices) paths.push([...path, name]);
    if (choices.length > 0) continue;
    ends += 1;
    try {
      await scenario.end();
    } catch (error) {
      throw new Error(`After ${path.join(" → ")}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
  return { states: seen.size, ends };
}
