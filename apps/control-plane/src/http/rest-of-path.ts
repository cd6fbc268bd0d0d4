import { CodedError } from "@alcove/contract/errors";

/** The decoded rest of a URL's path behind its first `segments` segments; `path_invalid` when it is not percent-encoded UTF-8. */
export function restOfPath(url: string, segments: number): string {
  try {
    return decodeURIComponent(rawRestOfPath(url, segments));
  } catch (error) {
    throw new CodedError("path_invalid", "The path is not percent-encoded UTF-8.", { cause: error });
  }
}

/** The same, still percent-encoded: any bytes. `new URL` would resolve `..`, so the text is cut as it came. */
export function rawRestOfPath(url: string, segments: number): string {
  const path = url.replace(/^[a-z]+:\/\/[^/]*/i, "").split(/[?#]/, 1)[0] ?? "";
  return path
    .split("/")
    .slice(1 + segments)
    .join("/");
}
