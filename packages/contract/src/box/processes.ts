/** Processes and threads that the daemon keeps for itself when the programs of a box have used up the rest of its limit. */
const reserve = 32;

/** How many processes and threads the programs of a box may have where the box has so many; a very small box keeps none back. */
export function processesForPrograms(limit: number): number {
  return limit > 2 * reserve ? limit - reserve : limit;
}
