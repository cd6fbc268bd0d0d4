import { CodedError } from "@alcove/contract/errors";
import { writeFileSync } from "node:fs";
import { plainEnvironment } from "../kernel/command.ts";
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
  const holder = Bun.spawn(["unshare", "--user", "--net", "--", "cat"], {
    uid: nobody,
    gid: nobody,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    cwd: "/",
    env: plainEnvironment,
  });
  // Nobody waits for its end: what has joined the namespaces keeps them.
  const end = (): void => holder.kill("SIGKILL");
  try {
    // What comes back has gone through a process that is in its namespaces.
    void holder.stdin.write("\n");
    void holder.stdin.flush();
    const { done } = await holder.stdout.getReader().read();
    if (done) {
      const words = (await new Response(holder.stderr).text()).trim();
      throw new CodedError(
        "namespaces_forbidden",
        `Cannot start the workspace: this host refuses user namespaces: ${words}`,
      );
    }
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
