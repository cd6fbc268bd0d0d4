import { createReadStream } from "node:fs";
import { parseArgs } from "node:util";
import { runHost } from "./compose.ts";
import { logLine } from "./log.ts";
import { becomeOnlyHost } from "./only-host.ts";
import { openSite } from "./site.ts";
import { takeRights } from "./own-namespace.ts";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    socket: { type: "string" },
    owner: { type: "string" },
    /** Ends with its standard input, so that it does not outlive the program that started it. */
    "parent-pipe": { type: "boolean", default: false },
    "no-template": { type: "boolean", default: false },
  },
});
const owner = /^([0-9]+):([0-9]+)$/.exec(values.owner ?? "");
if (values.data === undefined || values.socket === undefined || owner === null) {
  process.stderr.write("usage: host --data DIR --socket PATH --owner UID:GID [--parent-pipe] [--no-template]\n");
  process.exit(2);
}

// Folders of boxes are walked by users of their own, whatever mask this was started with; what is private says so by its mode.
process.umask(0o022);
const rights = await takeRights(values.data);
const ending = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => ending.abort());
if (values["parent-pipe"]) {
  const input = createReadStream("", { fd: 0 });
  input.on("end", () => ending.abort());
  input.on("error", () => ending.abort());
  input.resume();
}

try {
  await becomeOnlyHost(values.data);
  // In the user's own namespace the user itself is id 0.
  const ids = rights.kind === "namespace" ? { uid: 0, gid: 0 } : { uid: Number(owner[1]), gid: Number(owner[2]) };
  const site = openSite({ data: values.data, owner: ids, rights: rights.kind });
  const buildsTemplate = rights.kind !== "none" && !values["no-template"];
  const spares = Number.parseInt(process.env["ALCOVE_SPARE_BOXES"] ?? "", 10);
  await runHost({
    site,
    socket: values.socket,
    rights,
    signal: ending.signal,
    buildsTemplate,
    dockerAddress: process.env["ALCOVE_DOCKER_HOST"] ?? process.env["DOCKER_HOST"] ?? null,
    spareBoxes: Number.isNaN(spares) ? null : spares,
  });
  process.exit(0);
} catch (error) {
  logLine("error", "the host process cannot go on", { error });
  process.exit(1);
}
