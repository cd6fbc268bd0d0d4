import { CodedError } from "@alcove/contract/errors";

/** A path below the workspace's folder: its names, none of them empty, "." or "..". File names are bytes, not text. */
export type WorkspacePath = readonly Buffer[];

const pathLimit = 4096;
const nameLimit = 255;
const slash = 0x2f;

/** Parses a relative path. Gives `path_outside` for an absolute one or "..", `path_invalid` for NUL bytes and what is too long. */
export function parsePath(text: string | Buffer): WorkspacePath {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  if (bytes.length > pathLimit) throw new CodedError("path_invalid", `A path has at most ${pathLimit} bytes`);
  if (bytes.includes(0)) throw new CodedError("path_invalid", "A path has no NUL byte");
  if (bytes[0] === slash) throw new CodedError("path_outside", "The path is absolute");
  const names = splitNames(bytes);
  for (const name of names) {
    if (isDots(name, 2)) throw new CodedError("path_outside", 'The path holds ".."');
    if (name.length > nameLimit)
      throw new CodedError("path_invalid", `A part of a path has at most ${nameLimit} bytes`);
  }
  return names;
}

/** Parses the rest of a URL's path, whose percent escapes may stand for any bytes. Gives what `parsePath` gives. */
export function parseUrlPath(encoded: string): WorkspacePath {
  const bytes: number[] = [];
  const text = Buffer.from(encoded);
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] ?? 0;
    if (byte !== 0x25) {
      bytes.push(byte);
      continue;
    }
    const digits = text.toString("latin1", at + 1, at + 3);
    if (!/^[0-9a-fA-F]{2}$/.test(digits))
      throw new CodedError("path_invalid", "The path has a malformed percent escape");
    bytes.push(Number.parseInt(digits, 16));
    at += 2;
  }
  return parsePath(Buffer.from(bytes));
}

/** The names between slashes, without empty ones and "."; ".." stays. */
export function splitNames(bytes: Buffer): Buffer[] {
  const names: Buffer[] = [];
  let start = 0;
  for (let at = 0; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] !== slash) continue;
    const name = bytes.subarray(start, at);
    if (name.length > 0 && !isDots(name, 1)) names.push(name);
    start = at + 1;
  }
  return names;
}

/** True for "." with 1 and ".." with 2. */
export function isDots(name: Buffer, count: 1 | 2): boolean {
  return name.length === count && name.every((byte) => byte === 0x2e);
}

/** The path as text for messages and listings; bytes that are not UTF-8 are shown as replacement characters. */
export function showPath(path: WorkspacePath): string {
  return path.map((name) => name.toString("utf8")).join("/");
}
