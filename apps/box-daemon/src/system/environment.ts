import { mkdirSync, lstatSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { gatewayPort } from "@alcove/contract/box/raw";

/** What a box tells its daemon. `ALCOVE_ROOT` and `ALCOVE_GATEWAY_PORT` exist so that several daemons run side by side outside of boxes. */
export interface Environment {
  readonly workspace: string;
  readonly epoch: number;
  /** Folder of the persistent volume. */
  readonly root: string;
  /** Folder of the daemon's own lasting state: journals and sessions. */
  readonly state: string;
  /** Folder for sockets and terminal output, readable by nobody else; lost with the box. */
  readonly runtime: string;
  readonly home: string;
  readonly gatewayPort: number;
  /** Where the control plane reaches the daemon: a socket that it was given, or one that it makes in a folder of its own. */
  readonly link: { fd: number } | { path: string };
}

/** The daemon's settings from its process environment. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const root = env.ALCOVE_ROOT ?? "/workspace";
  return {
    workspace: env.ALCOVE_WORKSPACE ?? "",
    epoch: Number(env.ALCOVE_EPOCH ?? 0),
    root,
    state: `${root}/system/state`,
    runtime: `${tmpdir()}/.alcove-${process.getuid?.() ?? 0}-${Bun.hash(root).toString(36)}`,
    home: `${root}/user/home`,
    gatewayPort: Number(env.ALCOVE_GATEWAY_PORT ?? gatewayPort),
    link: env.ALCOVE_LINK === undefined ? { fd: 3 } : { path: env.ALCOVE_LINK },
  };
}

/** Makes the private folders; throws when the runtime folder belongs to somebody else, who could then answer in the daemon's place. */
export function prepareFolders(environment: Environment): void {
  mkdirSync(environment.state, { recursive: true, mode: 0o700 });
  mkdirSync(environment.runtime, { recursive: true, mode: 0o700 });
  const stat = lstatSync(environment.runtime);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw new Error(`Cannot use ${environment.runtime}: it belongs to another user`);
  }
  chmodSync(environment.runtime, 0o700);
}
