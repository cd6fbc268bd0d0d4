import type { Terminal } from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import { newId } from "@alcove/contract/ids";
import { killMarked } from "../system/marked-processes.ts";
import { exitCodeOf } from "../system/exit-code.ts";
import { keptBytes, type LiveTerminal, type Terminals } from "./terminal.ts";
import { startProgram } from "../system/child-limits.ts";

interface Held extends LiveTerminal {
  describe(): Terminal;
  kill(): Promise<void>;
}

/** Terminals on the daemon's own pseudo-terminals, where there is no tmux: they end with the daemon. */
export function createPtyTerminals(env: Readonly<Record<string, string | undefined>>): Terminals {
  const held = new Map<string, Held>();
  return {
    list: () => Promise.resolve([...held.values()].map((terminal) => terminal.describe())),
    create(request) {
      const id = newId("terminal");
      const output = createRing();
      let { cols, rows } = request;
      let exit: { exitCode: number } | null = null;
      const createdAt = new Date().toISOString();
      const child = startProgram(() =>
        Bun.spawn([env["SHELL"] ?? "/bin/sh", "-l"], {
          cwd: request.directory,
          env: { ...env, ALCOVE_TERMINAL: id, TERM: "xterm-256color", COLORTERM: "truecolor" },
          terminal: { cols, rows, data: (_, data) => output.append(data) },
        }),
      );
      void child.exited.then(() => {
        exit = { exitCode: exitCodeOf(child) };
        held.delete(id);
        output.append(new Uint8Array(0));
        child.terminal?.close();
      });
      const terminal: Held = {
        id,
        output,
        answersQueries: false,
        ended: () => exit,
        redraw: () => Promise.resolve(null),
        write: (bytes) => void child.terminal?.write(bytes),
        resize(newCols, newRows) {
          [cols, rows] = [newCols, newRows];
          child.terminal?.resize(cols, rows);
        },
        describe: () => ({
          id,
          name: request.name,
          title: request.name,
          cols,
          rows,
          end: output.end(),
          persistent: false,
          createdAt,
        }),
        kill: () => killMarked({ ALCOVE_TERMINAL: id }),
      };
      held.set(id, terminal);
      return Promise.resolve(terminal.describe());
    },
    written: () => held.values().reduce((sum, { output }) => sum + output.end(), 0),
    find: (id) => Promise.resolve(held.get(id) ?? null),
    async remove(id) {
      const terminal = held.get(id);
      if (terminal === undefined) throw new CodedError("terminal_gone");
      await terminal.kill();
    },
  };
}

/** The last bytes of a stream, in memory. */
function createRing() {
  const bytes = Buffer.alloc(keptBytes);
  const subscribers = new Set<() => void>();
  let end = 0;
  return {
    start: () => Math.max(0, end - keptBytes),
    end: () => end,
    read(offset: number, length: number): Uint8Array {
      const position = offset % keptBytes;
      return Buffer.from(bytes.subarray(position, Math.min(keptBytes, position + Math.min(length, end - offset))));
    },
    subscribe(changed: () => void) {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
    append(data: Uint8Array) {
      for (let at = 0; at < data.length;) {
        const position = end % keptBytes;
        const piece = data.subarray(at, at + keptBytes - position);
        bytes.set(piece, position);
        end += piece.length;
        at += piece.length;
      }
      for (const changed of subscribers) changed();
    },
  };
}
