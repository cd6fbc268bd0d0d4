import { CodedError } from "@alcove/contract/errors";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { Parser, type ReadEntry } from "tar";

/** Bytes of a header that describes another entry (long names, attributes): more is refused, so that nothing is held in memory. */
const longestHeader = 2 ** 20;
const mostEntries = 2_000_000;

/**
 * Hears each entry of a tar file (POSIX.1-2001 pax, GNU), plain, gzipped (RFC 1952) or by zstd (RFC 8878). `hear` takes an entry's bytes by its `data` events, or
 * says `stop` to hear no more. Code: `template_invalid`.
 */
export async function readEntries(
  path: string,
  hear: (entry: ReadEntry) => "next" | "stop",
  signal: AbortSignal,
): Promise<void> {
  let entries = 0;
  let stopped = false;
  let failure: Error | undefined;
  const fail = (error: unknown): void => {
    failure ??= error instanceof Error ? error : new Error(String(error));
  };
  const parser = new Parser({
    strict: true,
    maxMetaEntrySize: longestHeader,
    onReadEntry: (entry) => {
      if (stopped || failure !== undefined) return entry.resume();
      try {
        entries += 1;
        if (entries > mostEntries) throw invalid(`it has more than ${mostEntries} entries`);
        stopped = hear(entry) === "stop";
      } catch (error) {
        fail(error);
      }
      entry.resume();
    },
    onwarn: (code, message) => fail(invalid(`${message} (${code})`)),
  });
  parser.on("error", fail);
  const source = await openDecompressed(path);
  try {
    for await (const chunk of source) {
      signal.throwIfAborted();
      if (Buffer.isBuffer(chunk)) parser.write(chunk);
      if (failure !== undefined) throw failure;
      if (stopped) return;
    }
    parser.end();
    if (failure !== undefined) throw failure;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CodedError || isFromDisk(error)) throw error;
    throw invalid(error instanceof Error ? error.message : String(error), error);
  } finally {
    source.destroy();
  }
}

export function invalid(reason: string, cause?: unknown): CodedError {
  return new CodedError("template_invalid", `Cannot use the root file system: ${reason}`, { cause });
}

/** What the disk says is not the archive's fault. */
function isFromDisk(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && ["ENOSPC", "EDQUOT", "EIO", "EMFILE"].includes(String(error.code))
  );
}

async function openDecompressed(path: string): Promise<Readable> {
  const start = Buffer.alloc(6);
  const file = await open(path);
  const { bytesRead } = await file.read(start, 0, start.length, 0);
  await file.close();
  if (bytesRead === 0) throw invalid("it is empty");
  const source = createReadStream(path, { highWaterMark: 2 ** 18 });
  if (start.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) return piped(source, createGunzip());
  if (start.subarray(0, 4).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]))) return piped(source, createZstdDecompress());
  if (start.equals(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])))
    throw invalid("it is packed by xz: unpack it, or use gzip or zstd");
  return source;
}

function piped(
  source: Readable,
  decompress: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>,
) {
  source.once("error", (error) => decompress.destroy(error));
  decompress.once("close", () => source.destroy());
  return source.pipe(decompress);
}
