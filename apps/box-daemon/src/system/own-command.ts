/** The command line that starts this same program with another sub-command, compiled or run from source. */
export function ownCommand(...rest: string[]): string[] {
  const compiled = Bun.main.startsWith("/$bunfs/");
  return compiled ? [process.execPath, ...rest] : [process.execPath, Bun.main, ...rest];
}

/** Where this program finds its libraries in an image that has others (ld.so(8)). */
let ownLibraries: string | undefined;

/** Takes that out of the environment, so that no other program of the box loads them. */
export function keepOwnLibraries(): void {
  ownLibraries = process.env.LD_LIBRARY_PATH;
  delete process.env.LD_LIBRARY_PATH;
}

/** The environment for this same program, started with another sub-command. */
export function ownEnvironment(): Record<string, string | undefined> {
  return ownLibraries === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: ownLibraries };
}
