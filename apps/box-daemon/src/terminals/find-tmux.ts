import { existsSync } from "node:fs";

/** The runtime's own tmux with its loader and libraries, for images that have none (ld.so(8)). */
const brought = "/run/alcove";

export type Tmux = { program: readonly string[]; env: Readonly<Record<string, string>> };

/** What starts tmux in the box: the image's, or the one that the runtime brings; null when there is neither. */
export function findTmux(): Tmux | null {
  const own = Bun.which("tmux", { PATH: process.env["PATH"] ?? "" });
  if (own !== null) return { program: [own], env: {} };
  const program = `${brought}/bin/tmux`;
  if (!existsSync(program)) return null;
  return {
    program: [`${brought}/ld.so`, "--library-path", `${brought}/lib`, program],
    env: {
      LOCPATH: `${brought}/locale`,
      TERMINFO_DIRS: `/etc/terminfo:/lib/terminfo:/usr/share/terminfo:${brought}/terminfo`,
    },
  };
}
