/** The command line of a program that joins control groups before it begins, by the files into which a process writes `0`. */
export function inGroups(join: readonly string[], command: readonly string[]): [string, ...string[]] {
  const script = [
    "set -e",
    ...join.map((_, index) => `echo 0 > "\${${index + 1}}"`),
    `shift ${join.length}`,
    'exec "$@"',
  ].join("\n");
  return ["sh", "-c", script, "sh", ...join, ...command];
}
