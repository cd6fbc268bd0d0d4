/** The command line that starts this same program with another sub-command, compiled or run from source. */
export function ownCommand(...rest: string[]): string[] {
  const compiled = Bun.main.startsWith("/$bunfs/");
  return compiled ? [process.execPath, ...rest] : [process.execPath, Bun.main, ...rest];
}
