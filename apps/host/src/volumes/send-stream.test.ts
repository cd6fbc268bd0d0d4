import { expect, test } from "vitest";
import { readTouchedPaths } from "./send-stream.ts";

const path = 15;
const pathTo = 16;
const pathLink = 17;

function command(kind: number, attributes: [type: number, text: string][]): Buffer {
  const body = Buffer.concat(
    attributes.map(([type, text]) => {
      const bytes = Buffer.from(text, "latin1");
      const head = Buffer.alloc(4);
      head.writeUInt16LE(type, 0);
      head.writeUInt16LE(bytes.length, 2);
      return Buffer.concat([head, bytes]);
    }),
  );
  const head = Buffer.alloc(10);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt16LE(kind, 4);
  return Buffer.concat([head, body]);
}

const header = Buffer.concat([Buffer.from("btrfs-stream\0"), Buffer.from([1, 0, 0, 0])]);

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test.each([1, 7, 4096])("paths are read whatever the pieces are in which the stream comes (%d bytes)", async (size) => {
  const stream = Buffer.concat([
    header,
    command(2, [[path, "snapshot"]]),
    command(9, [
      [path, "o257-7-0"],
      [pathTo, "user/a b"],
    ]),
    command(8, [
      [path, "user/link"],
      [pathLink, "/etc"],
    ]),
    command(20, [[path, "user"]]),
    command(22, [[path, "user/\xff"]]),
    command(21, []),
  ]);
  const touched = await readTouchedPaths(inPieces(stream, size));
  expect([...touched]).toEqual(["o257-7-0", "user/a b", "user/link", "user/\xff"]);
});

test("something else is not taken for a stream", async () => {
  await expect(readTouchedPaths(inPieces(Buffer.alloc(64), 64))).rejects.toThrow("not a btrfs send stream");
});
