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
await installNpmPackages();
await runOnOwnNode(new URL("./main.ts", import.meta.url));
