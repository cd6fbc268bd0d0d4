import type { Spool } from "./spool.ts";
import type { TmuxClient } from "./tmux-client.ts";

/** Looks at a screen that is not changing as often as this before it takes one that is. */
const attempts = 5;

/** The screen of a pane, and what was scrolled off it, as bytes that draw it on an empty terminal. */
export async function drawScreen(tmux: TmuxClient, pane: string, spool: Spool): Promise<Uint8Array | null> {
  let drawn: Uint8Array | null = null;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = spool.end();
    drawn = await capture(tmux, pane);
    if (spool.end() === before) return drawn;
  }
  return drawn;
}

async function capture(tmux: TmuxClient, pane: string): Promise<Uint8Array | null> {
  const facts = await tmux.run(
    "display-message",
    "-p",
    "-t",
    pane,
    "#{cursor_x} #{cursor_y} #{alternate_on} #{cursor_flag} #{keypad_cursor_flag}",
  );
  if (facts === null) return null;
  const [x, y, alternate, cursor, keypad] = facts.trim().split(" ").map(Number);
  const history = alternate === 1 ? [] : ["-S", "-"];
  const screen = await tmux.run("capture-pane", "-p", "-e", "-t", pane, ...history);
  if (screen === null) return null;
  const parts = [
    alternate === 1 ? "\x1b[?1049h" : "",
    screen.replace(/\n$/, "").replaceAll("\n", "\x1b[0m\r\n"),
    `\x1b[0m\x1b[${(y ?? 0) + 1};${(x ?? 0) + 1}H`,
    cursor === 0 ? "\x1b[?25l" : "",
    keypad === 1 ? "\x1b[?1h" : "",
  ];
  return Buffer.from(parts.join(""));
}
