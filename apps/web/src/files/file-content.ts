import { CodedError } from "@alcove/contract/errors";
import { queryOptions } from "@tanstack/react-query";
import { client } from "../live/client.ts";

export type FileContent =
  | { type: "text"; text: string; etag: string | null }
  | { type: "image" | "pdf" | "binary"; size: number | null; etag: string | null }
  | { type: "too_large"; size: number };

/** Larger texts are downloaded, not edited in the page. */
const longestText = 2 * 2 ** 20;

/** What kind of view a file gets, by its name. */
export function kindOf(path: string): "image" | "pdf" | "html" | "markdown" | "table" | "text" {
  const ending = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  if (/^(png|jpe?g|gif|webp|svg|avif|ico|bmp)$/.test(ending)) return "image";
  if (ending === "pdf") return "pdf";
  if (/^html?$/.test(ending)) return "html";
  if (/^(md|markdown)$/.test(ending)) return "markdown";
  if (/^(csv|tsv)$/.test(ending)) return "table";
  return "text";
}

/** The file as the page shows it; bytes with a NUL among the first 8 KB are no text. */
export function fileQuery(workspace: string, path: string) {
  return queryOptions({
    queryKey: ["file", workspace, path],
    staleTime: 0,
    queryFn: async ({ signal }): Promise<FileContent> =>
      contentOf(path, await client.files.read(workspace, path, { signal })),
  });
}

/** A deliverable as its run left it. */
export function deliverableQuery(run: string, path: string) {
  return queryOptions({
    queryKey: ["deliverable", run, path],
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<FileContent> =>
      contentOf(path, await client.runs.readFile(run, path, { signal })),
  });
}

/** A file as a snapshot holds it. */
export function snapshotFileQuery(workspace: string, snapshot: string, path: string) {
  return queryOptions({
    queryKey: ["snapshot-file", workspace, snapshot, path],
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<FileContent> =>
      contentOf(path, await client.workspaces.readSnapshotFile(workspace, snapshot, path, { signal })),
  });
}

async function contentOf(path: string, response: Response): Promise<FileContent> {
  const etag = response.headers.get("etag");
  const length = response.headers.get("content-length");
  const size = length === null ? null : Number(length);
  const kind = kindOf(path);
  if (kind === "image" || kind === "pdf") {
    await response.body?.cancel();
    return { type: kind, size, etag };
  }
  if (size !== null && size > longestText) {
    await response.body?.cancel();
    return { type: "too_large", size };
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.subarray(0, 8192).includes(0)) return { type: "binary", size: bytes.byteLength, etag };
  return { type: "text", text: new TextDecoder().decode(bytes), etag };
}

/** True when the file, or a folder that it lies in, is no longer there. */
export function isGone(error: unknown): boolean {
  return error instanceof CodedError && (error.code === "file_not_found" || error.code === "not_a_folder");
}

export function isConflict(error: unknown): boolean {
  return error instanceof CodedError && error.code === "file_changed";
}
