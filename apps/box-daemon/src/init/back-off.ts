import { log } from "../system/log.ts";

const firstMs = 100;
const lastMs = 5_000;

/** Waits before a daemon that fell serves again, longer with each fall in a row; `status` is the exit code of the last one, as a shell tells it. */
export async function backOff(falls: number, status: number): Promise<void> {
  const backoffMs = Math.min(firstMs * 2 ** (falls - 1), lastMs);
  log("error", "The daemon ended and is started again", { exitCode: status, falls, backoffMs });
  await Bun.sleep(backoffMs);
}
