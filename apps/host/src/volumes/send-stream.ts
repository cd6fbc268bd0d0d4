/**
 * Reads the paths that a btrfs send stream touches (kernel: fs/btrfs/send.h): a magic, a version, then commands of `u32 length, u16 command, u32 checksum`
 * with attributes of `u16 type, u16 length, bytes`, all little-endian. The stream is made with --no-data, so that it holds no file's content.
 */

const magic = "btrfs-stream\0";
const headerBytes = magic.length + 4;
const command = { subvolume: 1, snapshot: 2, times: 20, end: 21 };
const attribute = { path: 15, pathTo: 16 };

/** Every path that a command of the stream names, as byte strings; names in between two states are among them. New times alone are no change. */
export async function readTouchedPaths(stream: AsyncIterable<Uint8Array>): Promise<Set<string>> {
  const touched = new Set<string>();
  let buffered = Buffer.alloc(0);
  let started = false;
  for await (const part of stream) {
    buffered = Buffer.concat([buffered, part]);
    if (!started) {
      if (buffered.length < headerBytes) continue;
      if (buffered.toString("latin1", 0, magic.length) !== magic) throw new Error("this is not a btrfs send stream");
      buffered = buffered.subarray(headerBytes);
      started = true;
    }
    while (buffered.length >= 10) {
      const length = buffered.readUInt32LE(0);
      if (buffered.length < 10 + length) break;
      const kind = buffered.readUInt16LE(4);
      if (kind !== command.subvolume && kind !== command.snapshot && kind !== command.times && kind !== command.end) {
        for (const path of pathsOf(buffered.subarray(10, 10 + length))) touched.add(path);
      }
      buffered = buffered.subarray(10 + length);
    }
  }
  return touched;
}

function pathsOf(attributes: Buffer): string[] {
  const paths: string[] = [];
  for (let at = 0; at + 4 <= attributes.length;) {
    const type = attributes.readUInt16LE(at);
    const length = attributes.readUInt16LE(at + 2);
    if (type === attribute.path || type === attribute.pathTo)
      paths.push(attributes.toString("latin1", at + 4, at + 4 + length));
    at += 4 + length;
  }
  return paths;
}
