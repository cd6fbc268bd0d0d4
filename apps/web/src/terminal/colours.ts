import type { ITheme } from "@xterm/xterm";

/** The page's colours for a terminal, as the browser resolves them in the theme of the moment. */
export function readColours(): ITheme {
  const probe = document.createElement("i");
  document.body.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const theme: ITheme = {
    background: colour("--surface-well"),
    foreground: colour("--text-1"),
    cursor: colour("--accent"),
    cursorAccent: colour("--surface-well"),
    selectionBackground: colour("--surface-selected"),
    scrollbarSliderBackground: colour("--line-strong"),
    scrollbarSliderHoverBackground: colour("--line-control"),
    scrollbarSliderActiveBackground: colour("--line-control"),
    black: colour("--term-black"),
    red: colour("--removed"),
    green: colour("--added"),
    yellow: colour("--code-2"),
    blue: colour("--code-3"),
    magenta: colour("--term-magenta"),
    cyan: colour("--code-1"),
    white: colour("--text-2"),
    brightBlack: colour("--text-3"),
    brightRed: colour("--failed"),
    brightGreen: colour("--added"),
    brightYellow: colour("--waiting"),
    brightBlue: colour("--code-3"),
    brightMagenta: colour("--term-magenta"),
    brightCyan: colour("--accent"),
    brightWhite: colour("--text-1"),
  };
  probe.remove();
  return theme;
}
