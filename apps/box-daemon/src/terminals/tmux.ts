import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Terminal } from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import { newId } from "@alcove/contract/ids";
import { killMarked } from "../system/marked-processes.ts";
import { isRecord } from "../http/body.ts";
import { openSpool, type Spool } from "./spool.ts";
import type { LiveTerminal, NewTerminal, Terminals } from "./terminal.ts";
import { drawScreen } from "./redraw.ts";
import { createTmuxClient, type TmuxClient } from "./tmux-client.ts";
import { endWithLastSession, type TmuxServer } from "./tmux-server.ts";
import { limitsInShell } from "../system/child-limits.ts";

const session = "alcove";
/** Exit code of a terminal whose tmux server was killed: what a shell gives for SIGHUP. */
const hangUp = 129;
/** Milliseconds without new output after which the output of an ended terminal is complete. */
const quietMs = 100;
/** Milliseconds after its end in which a viewer may still come that was on its way. */
const comingMs = 5_000;

interface Held extends LiveTerminal {
  readonly pane: string;
  readonly folder: string;
  readonly spool: Spool;
  readonly name: string;
  readonly createdAt: string;
  cols: number;
  rows: number;
  exit: { exitCode: number } | null;
}

/** Terminals on tmux: each is a window whose output tmux pipes into a file of its own, byte for byte, also while the daemon is dead. */
export function createTmuxTerminals(server: TmuxServer, root: string): Terminals {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const held = new Map<string, Held>();
  let queue: Promise<unknown> = Promise.resolve();
  const tmux = createTmuxClient({
    server,
    session,
    onDisconnect: () => void enqueue(reconcile),
  });

  /** One change of tmux's windows at a time: "the current window" must be the one just made. */
  const enqueue = <T>(work: () => Promise<T>): Promise<T> => {
    const next = queue.then(work);
    queue = next.catch(() => undefined);
    return next;
  };

  const hold = (record: Readonly<Saved>): Held => {
    const folder = join(root, record.id);
    const spool = openSpool(folder, join(folder, "output"), () => {
      const exitCode = readExit(folder);
      if (exitCode !== null) void finish(terminal, exitCode);
    });
    const terminal: Held = {
      ...record,
      folder,
      spool,
      output: spool,
      answersQueries: true,
      exit: null,
      ended: () => terminal.exit,
      redraw: () => drawScreen(tmux, terminal.pane, spool),
      write: (bytes) => tmux.sendInput(terminal.pane, bytes),
      resize(cols, rows) {
        Object.assign(terminal, { cols, rows });
        save(folder, terminal);
        tmux.send(`resize-window -t ${terminal.pane} -x ${cols} -y ${rows}`);
      },
    };
    held.set(record.id, terminal);
    return terminal;
  };

  const finish = async (terminal: Held, exitCode: number): Promise<void> => {
    if (!held.delete(terminal.id)) return;
    for (let end = -1; end !== terminal.spool.end(); await Bun.sleep(quietMs)) end = terminal.spool.end();
    terminal.exit = { exitCode };
    terminal.spool.notify();
    rmSync(terminal.folder, { recursive: true, force: true });
    setTimeout(() => terminal.spool.close(), comingMs);
    if (exitCode !== hangUp) await tmux.run("kill-window", "-t", terminal.pane);
  };

  /** Compares what is held with what tmux has: after a restart of the daemon, and when tmux has gone. */
  const reconcile = async (): Promise<void> => {
    const saved = readdirSync(root).flatMap((id) => readSaved(join(root, id)));
    if (saved.length === 0) return;
    const panes = new Set((await tmux.run("list-panes", "-a", "-F", "#{pane_id}#{@alcove}"))?.split("\n") ?? []);
    for (const record of saved) {
      const terminal = held.get(record.id) ?? hold(record);
      const exitCode = panes.has(`${record.pane}${record.id}`) ? readExit(terminal.folder) : hangUp;
      if (exitCode !== null) await finish(terminal, exitCode);
    }
  };
  const ready = enqueue(reconcile);

  const describe = (terminal: Held, title: string): Terminal => ({
    id: terminal.id,
    name: terminal.name,
    title,
    cols: terminal.cols,
    rows: terminal.rows,
    end: terminal.spool.end(),
    persistent: true,
    createdAt: terminal.createdAt,
  });

  return {
    list: () =>
      enqueue(async () => {
        // Those that have ended are not among them any more.
        for (const { spool } of [...held.values()]) spool.notify();
        if (held.size === 0) return [];
        const lines =
          (await tmux.run("list-panes", "-a", "-F", "#{pane_id} #{pane_current_command}"))?.split("\n") ?? [];
        const titles = new Map(
          lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]),
        );
        return [...held.values()].map((terminal) => describe(terminal, titles.get(terminal.pane) ?? terminal.name));
      }),
    create: (request) =>
      enqueue(async () => {
        const id = newId("terminal");
        const folder = join(root, id);
        mkdirSync(folder, { mode: 0o700 });
        const pane = await openWindow(tmux, { ...request, id, folder, first: held.size === 0 });
        if (pane === null) {
          rmSync(folder, { recursive: true, force: true });
          throw new CodedError("internal", "tmux does not open a window");
        }
        const record: Saved = {
          id,
          pane,
          name: request.name,
          cols: request.cols,
          rows: request.rows,
          createdAt: new Date().toISOString(),
        };
        save(folder, record);
        server.noteUse();
        return describe(hold(record), request.name);
      }),
    written: () => held.values().reduce((sum, { spool }) => sum + spool.end(), 0),
    find: async (id) => {
      await ready;
      return held.get(id) ?? null;
    },
    remove: (id) =>
      enqueue(async () => {
        const terminal = held.get(id);
        if (terminal === undefined) throw new CodedError("terminal_gone");
        await tmux.run("kill-window", "-t", terminal.pane);
        await killMarked({ ALCOVE_TERMINAL: id });
        await finish(terminal, hangUp);
      }),
  };
}

/** Opens a window and pipes its output in one step, so that not even the first prompt is missed. Gives the id of its pane. */
async function openWindow(
  tmux: TmuxClient,
  options: NewTerminal & { id: string; folder: string; first: boolean },
): Promise<string | null> {
  const { id, folder, cols, rows, directory } = options;
  const [output, exit] = [join(folder, "output"), join(folder, "exit")];
  // The shell's own parent notes its end: tmux's hook below runs only when tmux itself hears of it, which it does not always.
  const shell = `${limitsInShell()}unset TMUX TMUX_PANE LOCPATH; ALCOVE_TERMINAL=${id} "\${SHELL:-/bin/sh}" -l; code=$?; echo code=$code >${exit}; exit $code`;
  const size = ["-x", String(cols), "-y", String(rows)];
  const format = ["-P", "-F", "#{pane_id}", "-c", directory, shell];
  const follow = [
    ...[";", "set-option", "-w", "-t", `${session}:`, "@alcove", id],
    ...[";", "pipe-pane", "-t", `${session}:`, `exec cat >>${output}`],
    ...[";", "resize-window", "-t", `${session}:`, ...size],
    ...[";", ...endWithLastSession],
  ];
  const inWindow = () => tmux.run("new-window", "-t", `${session}:`, ...format, ...follow);
  const inSession = () => tmux.run("new-session", "-d", "-s", session, ...size, ...format, ...follow);
  const pane = options.first
    ? ((await inSession()) ?? (await inWindow()))
    : ((await inWindow()) ?? (await inSession()));
  return pane?.trim() ?? null;
}

type Saved = Pick<Held, "id" | "pane" | "name" | "cols" | "rows" | "createdAt">;

function save(folder: string, { id, pane, name, cols, rows, createdAt }: Saved): void {
  writeFileSync(join(folder, "terminal.json"), JSON.stringify({ id, pane, name, cols, rows, createdAt }));
}

function readSaved(folder: string): Saved[] {
  const file = join(folder, "terminal.json");
  if (!existsSync(file)) return [];
  const value: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (!isRecord(value)) return [];
  const { id, pane, name, cols, rows, createdAt } = value;
  if (typeof id !== "string" || typeof pane !== "string" || typeof name !== "string" || typeof createdAt !== "string")
    return [];
  return typeof cols === "number" && typeof rows === "number" ? [{ id, pane, name, cols, rows, createdAt }] : [];
}

/** The exit code in the file that the shell's parent or tmux's hook wrote, a status or a signal; null while there is none. */
function readExit(folder: string): number | null {
  const file = join(folder, "exit");
  const match = existsSync(file) ? /^code=(\d*) ?(\d*)\n/.exec(readFileSync(file, "utf8")) : null;
  if (match === null) return null;
  return match[1] === "" ? 128 + Number(match[2] ?? 1) : Number(match[1]);
}
