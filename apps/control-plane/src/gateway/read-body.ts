import type { Readable } from "node:stream";
import { CodedError } from "@alcove/contract/errors";

/** The whole body; `too_large` beyond the limit in bytes. */
export async function readBody(stream: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > limit) throw new CodedError("too_large", `The body has more than ${Math.floor(limit / 2 ** 20)} MiB.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
