import { CodedError } from "@alcove/contract/errors";

/** The decoded part of the URL's path behind the first `marker`; `path_invalid` when it is not percent-encoded UTF-8. */
export function restOfPath(url: string, marker: string): string {
  const raw = rawRestOfPath(url, marker);
  try {
    return decodeURIComponent(raw);
  } catch (error) {
    throw new CodedError("path_invalid", "The path is not percent-encoded UTF-8.", { cause: error });
  }
}

/** The same, still percent-encoded: any bytes. */
export function rawRestOfPath(url: string, marker: string): string {
  const path = url.replace(/^[a-z]+:\/\/[^/]*/i, "").split(/[?#]/, 1)[0] ?? "";
  const at = path.indexOf(marker);
  return at < 0 ? "" : path.slice(at + marker.length);
}
