import { spawn } from "node:child_process";
import { PassThrough, type Readable } from "node:stream";
import { plainEnvironment } from "../kernel/command.ts";

/**
 * A gzipped tar (GNU tar(1)) of the folder: links are kept as links, sockets left out, owners given as the box's user wherever it is unpacked. The stream breaks with an
 * error when tar ends with one, so that half an archive is never taken for a whole one.
 */
export function archiveFolder(folder: string, signal: AbortSignal): Readable {
  const owner = ["--owner=user:1000", "--group=user:1000", "--numeric-owner"];
  const child = spawn("tar", ["--create", "--gzip", "--warning=none", ...owner, "--directory", folder, "."], {
    stdio: ["ignore", "pipe", "ignore"],
    cwd: "/",
    env: plainEnvironment,
    signal,
    killSignal: "SIGKILL",
  });
  const archive = new PassThrough();
  child.once("error", (error) => archive.destroy(error));
  child.once("close", (code) => {
    if (code === 0) archive.end();
    else archive.destroy(new Error(`tar ended with ${code}`));
  });
  child.stdout.pipe(archive, { end: false });
  return archive;
}
