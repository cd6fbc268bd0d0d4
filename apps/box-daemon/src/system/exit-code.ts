import { constants } from "node:os";

/** A process's end as a shell would tell it: its code, or 128 + signal. */
export function exitCodeOf(ended: { exitCode: number | null; signalCode: string | number | null }): number {
  const { exitCode, signalCode } = ended;
  if (signalCode === null) return exitCode ?? 0;
  const number =
    typeof signalCode === "number"
      ? signalCode
      : Object.entries(constants.signals).find(([name]) => name === signalCode)?.[1];
  return 128 + (number ?? 0);
}
