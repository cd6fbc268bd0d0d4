import { createReadStream } from "node:fs";
import { parseArgs } from "node:util";
import { runHost } from "./compose.ts";
import { logLine } from "./log.ts";
import { openSite } from "./site.ts";
import { enterOwnNamespace } from "./own-namespace.ts";

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

const privileged = await enterOwnNamespace(values.data);
const ending = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => ending.abort());
if (values["parent-pipe"]) {
  const input = createReadStream("", { fd: 0 });
  input.on("end", () => ending.abort());
  input.on("error", () => ending.abort());
  input.resume();
}

try {
  const site = openSite({
    data: values.data,
    owner: { uid: privileged ? Number(owner[1]) : 0, gid: privileged ? Number(owner[2]) : 0 },
    privileged,
  });
  await runHost({
    site,
    socket: values.socket,
    signal: ending.signal,
    buildsTemplate: privileged && !values["no-template"],
  });
  process.exit(0);
} catch (error) {
  logLine("error", "the host process cannot go on", { error });
  process.exit(1);
}
