/** What a box's root file system is made over. */
export type RootSource = {
  kind: "template" | "host";
  /** Folder with the lower layer of `/`. */
  root: string;
  /** Name of the workspace's own layer over it; a layer only ever lies over the source that it was made for. */
  layer: string;
};
