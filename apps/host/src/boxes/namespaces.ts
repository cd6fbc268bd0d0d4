import { CodedError } from "@alcove/contract/errors";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { Duplex } from "node:stream";
import { plainEnvironment } from "../kernel/command.ts";
import { createMemoryFile } from "../kernel/memory-file.ts";
import { mappedIds } from "./id-range.ts";

/** The user and network namespace of a box before it has a process of its own. */
export interface BoxNamespaces extends Disposable {
  pid: number;
  user: string;
  network: string;
}

/**
 * Makes both namespaces, held by a small process that ends with the disposal or with the host process. They are owned by the box's last id, which is
 * mapped nowhere: whoever owns a user namespace has all rights in it, and no process in the box has that id. Code: `namespaces_forbidden`.
 */
export async function createNamespaces(firstId: number): Promise<BoxNamespaces> {
  const nobody = firstId + mappedIds;
  using errors = createMemoryFile();
  // Of the ways to hear of a program, this one needs no thread of the common pool; see serve-thread.ts.
  const holder = spawn("unshare", ["--user", "--net", "--", "sh", "-c", "echo >&3; read -r _ <&3"], {
    uid: nobody,
    gid: nobody,
    stdio: ["ignore", "ignore", errors.descriptor, "pipe"],
    cwd: "/",
    env: plainEnvironment,
  });
  const line = holder.stdio[3];
  // Nobody waits for its end: what has joined the namespaces keeps them.
  const end = (): void => void holder.kill("SIGKILL");
  try {
    if (!(line instanceof Duplex) || holder.pid === undefined)
      throw new CodedError("workspace_start_failed", "Cannot start the workspace: unshare did not start");
    // Its end may break the line.
    line.on("error", () => undefined);
    // What comes has been said by a process that is in its namespaces.
    const isThere = await Promise.race([once(line, "data").then(() => true), once(holder, "exit").then(() => false)]);
    if (!isThere)
      throw new CodedError(
        "namespaces_forbidden",
        `Cannot start the workspace: this host refuses user namespaces: ${errors.text().trim()}`,
      );
    const map = `0 ${firstId} ${mappedIds}\n`;
    writeFileSync(`/proc/${holder.pid}/uid_map`, map);
    writeFileSync(`/proc/${holder.pid}/gid_map`, map);
    return {
      pid: holder.pid,
      user: `/proc/${holder.pid}/ns/user`,
      network: `/proc/${holder.pid}/ns/net`,
      [Symbol.dispose]: end,
    };
  } catch (error) {
    end();
    throw error;
  }
}
