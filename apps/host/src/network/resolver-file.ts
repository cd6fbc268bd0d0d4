import { writeFileAtomically } from "../kernel/atomic-file.ts";
import { chmod } from "node:fs/promises";
import { inBox } from "./network-rules.ts";

/** What every box has as its /etc/resolv.conf, whatever its root brings along (resolv.conf(5)). */
export const resolverLines = `nameserver ${inBox.resolver.address}\noptions edns0\n`;

/** Path of the file that is bound into boxes. */
export function resolverFile(stage: string): string {
  return `${stage}/resolv.conf`;
}

export async function writeResolverFile(stage: string): Promise<void> {
  await writeFileAtomically(resolverFile(stage), resolverLines);
  await chmod(resolverFile(stage), 0o644);
}
