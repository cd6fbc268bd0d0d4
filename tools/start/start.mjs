// `npm start`. This file runs on any Node from 20 on, before anything is installed; the rest runs on the project's own Node.
import { runOnOwnNode } from "../node24.mjs";
import { installNpmPackages } from "./npm-packages.mjs";

const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 20) {
  console.error(`Alcove needs Node 20 or later to start; this is ${process.version}.`);
  process.exit(1);
}
if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64")) {
  console.error(`Alcove runs on Linux on x64 and arm64; this is ${process.platform} on ${process.arch}.`);
  process.exit(1);
}
const words = process.argv.slice(2);
if (words.length > 0) {
  const asked = words.every((word) => word === "--help" || word === "-h");
  console[asked ? "log" : "error"](
    `${asked ? "" : `Alcove is started without arguments; "${words.join(" ")}" is not known.\n`}Usage: npm start
Starts Alcove and prints the address of its page. It is set up by variables of the environment, which README.md lists, such as
  ALCOVE_DATA=/var/lib/alcove ALCOVE_PORT=7700 npm start`,
  );
  process.exit(asked ? 0 : 2);
}
await installNpmPackages();
await runOnOwnNode(new URL("./main.ts", import.meta.url));
