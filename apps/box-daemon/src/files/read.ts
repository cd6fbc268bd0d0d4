import { closeSync, constants, fstatSync, openSync, read, type BigIntStats } from "node:fs";
import { CodedError } from "@alcove/contract/errors";
import { fileError } from "./file-error.ts";
import { listFolder } from "./listing.ts";
import { showPath, type WorkspacePath } from "./path.ts";
import { self, walk } from "./walk.ts";

const chunkBytes = 128 * 1024;

/** Changes whenever the file's content is replaced or written. */
export function etagOf(stat: BigIntStats): string {
  return `"${stat.ino.toString(36)}-${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}"`;
}

/** Answers GET and HEAD of a path: a file's bytes, whole or a range, or a folder's listing. */
export function readPath(root: string, path: WorkspacePath, request: Request): Response {
  const place = walk(root, path, { followLast: true });
  try {
    if (place.fd === null) throw new CodedError("file_not_found", `There is no "${showPath(path)}"`);
    const stat = fstatSync(place.fd, { bigint: true });
    if (stat.isDirectory())
      return request.method === "HEAD" ? new Response(null) : Response.json(listFolder(place.fd, path));
    if (!stat.isFile()) throw new CodedError("file_forbidden", `"${showPath(path)}" is not a regular file`);
    // The descriptor stands for the file that was found, whatever its name leads to by now.
    const fd = openSync(self(place.fd), constants.O_RDONLY | constants.O_NONBLOCK);
    return answerFile(fd, stat, request);
  } catch (error) {
    throw fileError(error, path);
  } finally {
    place.close();
  }
}

function answerFile(fd: number, stat: BigIntStats, request: Request): Response {
  const size = Number(stat.size);
  const headers: Record<string, string> = {
    etag: etagOf(stat),
    "accept-ranges": "bytes",
    "content-type": "application/octet-stream",
    "last-modified": stat.mtime.toUTCString(),
  };
  const range = parseRange(request.headers.get("range"), size);
  const unchanged = request.headers.get("if-none-match") === headers["etag"];
  if (unchanged || range === "unsatisfiable" || request.method === "HEAD") {
    closeSync(fd);
    if (unchanged) return new Response(null, { status: 304, headers });
    if (range !== "unsatisfiable")
      return new Response(null, { headers: { ...headers, "content-length": String(size) } });
    return Response.json(
      { code: "bad_request", detail: `The file has ${size} bytes` },
      { status: 416, headers: { "content-range": `bytes */${size}` } },
    );
  }
  const [start, end] = range ?? [0, size];
  headers["content-length"] = String(end - start);
  if (range !== null) headers["content-range"] = `bytes ${start}-${end - 1}/${size}`;
  return new Response(readStream(fd, start, end), { status: range === null ? 200 : 206, headers });
}

/** The file's bytes from `start` up to `end`; closes the descriptor when they are read or the reader leaves. */
function readStream(fd: number, start: number, end: number): ReadableStream<Uint8Array> {
  let position = start;
  const readChunk = (length: number) =>
    new Promise<Buffer>((resolve, reject) => {
      read(fd, Buffer.allocUnsafe(length), 0, length, position, (error, count, buffer) => {
        if (error) reject(error);
        else resolve(buffer.subarray(0, count));
      });
    });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = position >= end ? Buffer.alloc(0) : await readChunk(Math.min(chunkBytes, end - position));
        position += bytes.length;
        if (bytes.length > 0) controller.enqueue(bytes);
        if (bytes.length === 0 || position >= end) {
          closeSync(fd);
          controller.close();
        }
      },
      cancel: () => closeSync(fd),
    },
    { highWaterMark: 0 },
  );
}

/** The first and the behind-last byte of a `Range` header with one range; null when the whole file is meant. */
export function parseRange(header: string | null, size: number): [number, number] | "unsatisfiable" | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return null;
  const [first, last] = [match[1] ?? "", match[2] ?? ""];
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return start < end ? [start, end] : "unsatisfiable";
}
