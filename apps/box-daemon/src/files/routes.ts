import { closeSync, constants, openSync } from "node:fs";
import { CodedError } from "@alcove/contract/errors";
import { optionalBoolean, readFields, textField } from "../http/body.ts";
import type { Call, Route } from "../http/router.ts";
import { parsePath, parseUrlPath } from "./path.ts";
import { readPath } from "./read.ts";
import { movePath, removePath } from "./remove.ts";
import { self, withResolved } from "./walk.ts";
import { makeFolder, writeFile } from "./write.ts";

const prefix = "/v1/files/";

export function fileRoutes(root: string): Route[] {
  const read = ({ request, rest }: Call) => readPath(root, parseUrlPath(rest), request);
  return [
    { method: "GET", path: prefix, handle: read },
    { method: "HEAD", path: prefix, handle: read },
    { method: "PUT", path: prefix, handle: (call) => readToTheEnd(call.request, put(root, call)) },
    {
      method: "DELETE",
      path: prefix,
      async handle({ rest, query }) {
        await removePath(root, parseUrlPath(rest), query.get("recursive") === "true");
        return new Response(null, { status: 204 });
      },
    },
    {
      method: "POST",
      path: "/v1/files:move",
      async handle({ request }) {
        const fields = await readFields(request);
        const replace = optionalBoolean(fields, "replace") ?? false;
        movePath(root, parsePath(textField(fields, "from")), parsePath(textField(fields, "to")), replace);
        return Response.json({});
      },
    },
    { method: "GET", path: "/v1/archive/", handle: ({ rest }) => archive(root, rest) },
  ];
}

async function put(root: string, { request, rest, query }: Call): Promise<Response> {
  const path = parseUrlPath(rest);
  const makeParents = query.get("parents") === "true";
  if (query.get("folder") === "true") {
    makeFolder(root, path, makeParents);
    return Response.json({}, { status: 201 });
  }
  const onlyNew = request.headers.get("if-none-match") === "*";
  const written = await writeFile(root, path, request.body, {
    ifMatch: request.headers.get("if-match"),
    onlyNew,
    makeParents,
  });
  return Response.json({}, { status: written.created ? 201 : 200, headers: { etag: written.etag } });
}

/** What is read of an upload that was refused, in bytes: whoever sends it reads the answer only afterwards. */
const refusedUploadLimit = 64 * 2 ** 20;

/** The answer; a refusal waits until the body was read, or the sender would see a broken line instead of the reason. */
async function readToTheEnd(request: Request, answer: Promise<Response>): Promise<Response> {
  try {
    return await answer;
  } catch (error) {
    if (request.body && !request.body.locked) await discard(request.body);
    throw error;
  }
}

async function discard(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  let size = 0;
  while (size < refusedUploadLimit) {
    const { done, value } = await reader.read();
    if (done) return;
    size += value.byteLength;
  }
  await reader.cancel();
}

/** A folder as `tar.gz`; links are packed as links. */
function archive(root: string, rest: string): Response {
  const folder = withResolved(root, parseUrlPath(rest), "folder", (fd) =>
    openSync(self(fd), constants.O_RDONLY | constants.O_DIRECTORY),
  );
  try {
    const child = Bun.spawn(["tar", "-cz", "."], {
      cwd: `/proc/${process.pid}/fd/${folder}`,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const reader = child.stdout.getReader();
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        child.kill("SIGKILL");
        await reader.cancel();
      },
    });
    return new Response(body, { headers: { "content-type": "application/gzip" } });
  } catch (error) {
    throw new CodedError("internal", "Cannot run tar", { cause: error });
  } finally {
    closeSync(folder);
  }
}
