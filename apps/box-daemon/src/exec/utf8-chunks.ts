/** Text of a chunk, or its base64 when it is not UTF-8. */
export interface Chunk {
  readonly data: string;
  readonly encoding?: "base64";
}

/** Turns bytes into chunks of whole characters; an unfinished last character is kept for the next bytes. */
export function createChunker(): { push(bytes: Uint8Array): Chunk | null; end(): Chunk | null } {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = Buffer.alloc(0);
  const toChunk = (bytes: Buffer): Chunk | null => {
    if (bytes.length === 0) return null;
    try {
      return { data: strict.decode(bytes) };
    } catch {
      return { data: bytes.toString("base64"), encoding: "base64" };
    }
  };
  return {
    push(bytes) {
      const all = rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([rest, bytes]);
      const cut = all.length - unfinished(all);
      rest = Buffer.from(all.subarray(cut));
      return toChunk(all.subarray(0, cut));
    },
    end() {
      const last = toChunk(rest);
      rest = Buffer.alloc(0);
      return last;
    },
  };
}

/** Number of bytes at the end that begin a character whose other bytes are missing. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
