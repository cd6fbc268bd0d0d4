import type { Terminal } from "@alcove/contract/api/workspace";

/** Bytes of output that a terminal keeps for those who come back. */
export const keptBytes = 2 * 2 ** 20;

/** The output of a terminal as a stream of numbered bytes, of which the last `keptBytes` can be read. */
export interface TerminalOutput {
  start(): number;
  end(): number;
  /** At most `length` bytes from the offset, which lies between `start` and `end`. */
  read(offset: number, length: number): Uint8Array;
  /** Calls back whenever there is more, or the terminal has ended. */
  subscribe(changed: () => void): () => void;
}

/** A terminal that runs, or has just ended. */
export interface LiveTerminal {
  readonly id: string;
  readonly output: TerminalOutput;
  /** True when questions that programs ask of the terminal are answered here, so that no viewer may answer them too. */
  readonly answersQueries: boolean;
  /** Exit code of its shell once it has ended and all of its output is there. */
  ended(): { exitCode: number } | null;
  /** Bytes that draw the screen and what was scrolled off it, for a viewer that missed more than is kept; null when this is not possible. */
  redraw(): Promise<Uint8Array | null>;
  write(bytes: Uint8Array): void;
  resize(cols: number, rows: number): void;
}

export interface NewTerminal {
  readonly name: string;
  readonly cols: number;
  readonly rows: number;
  /** An absolute path. */
  readonly directory: string;
}

/** Holds the terminals of the box. */
export interface Terminals {
  list(): Promise<Terminal[]>;
  create(terminal: NewTerminal): Promise<Terminal>;
  find(id: string): Promise<LiveTerminal | null>;
  /** Bytes of output of all terminals that are there: changes when any of them says something. */
  written(): number;
  /** Ends the terminal and everything that runs in it. Gives `terminal_gone`. */
  remove(id: string): Promise<void>;
}
