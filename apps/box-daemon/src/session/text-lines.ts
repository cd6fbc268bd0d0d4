/** Longest line in bytes; one that is longer is given in parts. */
const lineLimit = 64 * 2 ** 20;

/** The lines of a byte stream, without their line feeds, the unfinished last one included. */
export async function* textLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  let parts: Buffer[] = [];
  let length = 0;
  const take = () => {
    const line = Buffer.concat(parts, length).toString("utf8");
    parts = [];
    length = 0;
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  };
  for await (const bytes of stream) {
    let chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a)) {
      parts.push(chunk.subarray(0, at));
      length += at;
      yield take();
      chunk = chunk.subarray(at + 1);
    }
    if (chunk.length > 0) parts.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > lineLimit) yield take();
  }
  if (length > 0) yield take();
}
