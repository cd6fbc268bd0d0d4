import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";

/** The id that a workspace's user has in its box. */
export const boxUser = 1_000;

/** Where this host process keeps its things, and as whom. Every path is made of these and of checked ids. */
export type Site = {
  data: string;
  /** The control plane's user; the only one beside root who may connect. */
  owner: { uid: number; gid: number };
  /** True with root rights; otherwise the process is root only in a user namespace of its own user. */
  privileged: boolean;
  /** Tells the cgroups and mounts of several data directories on one machine apart. */
  instance: string;
  /** Folder in which boxes are put together; world-traversable, because the box's own users walk it, and gone after a restart of the machine. */
  stage: string;
};

/** The site of a data directory; makes the folder when it is missing. */
export function openSite(options: {
  data: string;
  owner: { uid: number; gid: number };
  rights: "root" | "namespace" | "none";
}): Site {
  mkdirSync(options.data, { recursive: true, mode: 0o755 });
  const data = realpathSync(options.data);
  const instance = createHash("sha256").update(data).digest("hex").slice(0, 8);
  const stage = { root: `/run/alcove/${instance}`, namespace: `/mnt/alcove/${instance}`, none: `${data}/stage` }[
    options.rights
  ];
  return { data, owner: options.owner, privileged: options.rights === "root", instance, stage };
}

/** The paths of one workspace's box. */
export function boxPaths(site: Site, id: string) {
  const bundle = `${site.stage}/${id}`;
  return {
    folder: `${site.data}/boxes/${id}`,
    record: `${site.data}/boxes/${id}/box.json`,
    socket: `${site.data}/run/boxes/${id}.sock`,
    /** Folder that a box of Docker's has for its socket: it writes there itself. */
    link: `${site.data}/run/boxes/${id}`,
    log: `${site.data}/logs/boxes/${id}.log`,
    bundle,
    root: `${bundle}/root`,
    networkMark: `${bundle}/network.json`,
    traffic: `${bundle}/traffic.json`,
    runtimeState: `${site.stage}/crun`,
  };
}
