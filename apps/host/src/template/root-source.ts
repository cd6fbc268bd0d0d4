import type { Rootfs } from "@alcove/contract/host";

/** What a box's root file system is made over. */
export type RootSource = {
  kind: Rootfs;
  /** Folder with the lower layer of `/`. */
  root: string;
  /** Folders whose files are seen in the place of those of `root`, topmost first. */
  over?: string[];
  /** Name of the workspace's own layer over it; a layer only ever lies over the source that it was made for. */
  layer: string;
};
