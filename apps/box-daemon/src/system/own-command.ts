/** The command line that starts this same program with another sub-command, compiled or run from source. */
export function ownCommand(...rest: string[]): string[] {
  const compiled = Bun.main.startsWith("/$bunfs/");
  return compiled ? [process.execPath, ...rest] : [process.execPath, Bun.main, ...rest];
}

/** Where this program finds its libraries in an image that has others (ld.so(8)). */
let ownLibraries: string | undefined;

/** How the first process tells the engine of `serve` to be small. */
const engineSettings = [
  "BUN_JSC_useWarmUpMarkedBlocks",
  "BUN_JSC_numberOfGCMarkers",
  "BUN_JSC_useConcurrentGC",
  "BUN_JSC_useConcurrentJIT",
];

/** Takes what is only for this program out of the environment, so that no other program of the box gets it. */
export function keepOwnEnvironment(): void {
  ownLibraries = process.env.LD_LIBRARY_PATH;
  for (const name of ["LD_LIBRARY_PATH", ...engineSettings]) delete process.env[name];
}

/** The environment for this same program, started with another sub-command. */
export function ownEnvironment(): Record<string, string | undefined> {
  return ownLibraries === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: ownLibraries };
}
