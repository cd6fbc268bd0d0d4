import { closeSync, fchmodSync, readFileSync, statSync, writeSync } from "node:fs";
import { plainEnvironment } from "./command.ts";
import { check, cString, libc, SystemCallError } from "./libc.ts";

const closeOnExec = 1;
const allowSealing = 2;
const addSeals = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE of fcntl(2). */
const allSeals = 0b1111;

/**
 * Copies of programs in memory that nobody can change (memfd_create(2)). crun makes one of itself at each start, so that no box can write into it, unless it already
 * runs from one. Gives the path of the copy, which holds as long as this process and until the program is replaced; the program's own path where the kernel runs no such file.
 */
export function createSealedPrograms(): (program: string) => string {
  let copy: { program: string; mtimeMs: number; descriptor: number | null } | undefined;
  return (program) => {
    const { mtimeMs } = statSync(program);
    if (copy?.program !== program || copy.mtimeMs !== mtimeMs) {
      if (typeof copy?.descriptor === "number") closeSync(copy.descriptor);
      copy = { program, mtimeMs, descriptor: seal(program) };
    }
    return copy.descriptor === null ? program : pathOf(copy.descriptor);
  };
}

const pathOf = (descriptor: number) => `/proc/${process.pid}/fd/${descriptor}`;

function seal(program: string): number | null {
  let descriptor: number;
  try {
    descriptor = check("memfd_create", libc.memfd_create(cString("program"), closeOnExec | allowSealing));
  } catch (error) {
    if (error instanceof SystemCallError) return null;
    throw error;
  }
  const bytes = readFileSync(program);
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
  fchmodSync(descriptor, 0o755);
  check("fcntl", libc.fcntl(descriptor, addSeals, allSeals));
  const { success } = Bun.spawnSync([pathOf(descriptor), "--version"], {
    env: plainEnvironment,
    stdio: ["ignore", "ignore", "ignore"],
  });
  if (success) return descriptor;
  closeSync(descriptor);
  return null;
}
