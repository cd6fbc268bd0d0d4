import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { PassThrough, type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CodedError } from "@alcove/contract/errors";
import { create, extract, Header, list } from "tar";

/** Bytes of a folder that an image is built of. */
const largestBytes = 2 ** 30;
const largestText = 200_000;

/** The folders that images are built of, each a tar below one folder, by the SHA-256 of its bytes. */
export interface BuildContexts {
  /** Keeps the tar and gives its hash. Code: `too_large`. */
  keep(archive: Readable): Promise<string>;
  /** A folder with nothing but these files. */
  keepFiles(files: Record<string, string>): Promise<string>;
  /** One folder of a kept tar, kept as a tar of its own; `.` is the tar itself. Code: `template_invalid`. */
  keepFolder(context: string, folder: string): Promise<string>;
  /** A text file of it. Code: `template_invalid`. */
  read(context: string, file: string): Promise<string>;
  /** Code: `template_not_built` when it is gone. */
  open(context: string): Promise<Readable>;
  /** Removes all others that are older than an hour, and what a crash left. */
  tidy(wanted: ReadonlySet<string>): Promise<void>;
}

const youngMs = 3_600_000;

export function createBuildContexts({ directory }: { directory: string }): BuildContexts {
  const pathOf = (context: string) => path.join(directory, `${context}.tar`);

  const keep = async (archive: Readable): Promise<string> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const fresh = path.join(directory, `${randomBytes(8).toString("hex")}.new`);
    const hash = createHash("sha256");
    let bytes = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        hash.update(chunk);
        if (bytes <= largestBytes) return done(null, chunk);
        done(tooLarge());
      },
    });
    try {
      await pipeline(archive, counted, createWriteStream(fresh, { mode: 0o600 }));
      const context = hash.digest("hex");
      await rename(fresh, pathOf(context));
      return context;
    } finally {
      await rm(fresh, { force: true });
    }
  };

  return {
    keep,
    keepFiles: (files) => keep(tarOfFiles(files)),
    async keepFolder(context, folder) {
      if (folder === ".") return context;
      const scratch = await mkdtemp(path.join(directory, "folder-"));
      try {
        let bytes = 0;
        const wanted = (entry: string, { size }: { size?: number }) => {
          if (!path.posix.normalize(entry).startsWith(`${folder}/`)) return false;
          bytes += size ?? 0;
          return bytes <= largestBytes;
        };
        await extract({ file: pathOf(context), cwd: scratch, filter: wanted, preserveOwner: false });
        if (bytes > largestBytes) throw tooLarge();
        const inside = path.join(scratch, folder);
        const names = await readdir(inside).catch(() => []);
        if (names.length === 0)
          throw new CodedError("template_invalid", `Cannot use the devcontainer.json: there is no folder "${folder}"`);
        const archive = new PassThrough();
        create(
          { cwd: inside, portable: true, noMtime: true },
          names.toSorted((a, b) => (a < b ? -1 : 1)),
        ).pipe(archive);
        return await keep(archive);
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    },
    async read(context, file) {
      const parts: Buffer[] = [];
      await list({
        file: pathOf(context),
        onReadEntry: (entry) => {
          if (path.posix.normalize(entry.path) !== file || entry.size > largestText) return entry.resume();
          parts.length = 0;
          entry.on("data", (chunk: Buffer) => parts.push(chunk));
        },
      });
      if (parts.length > 0) return Buffer.concat(parts).toString("utf8");
      throw new CodedError("template_invalid", `There is no file "${file}" in what was sent.`);
    },
    async open(context) {
      const there = await stat(pathOf(context)).catch(() => null);
      if (there) return createReadStream(pathOf(context));
      throw new CodedError("template_not_built", "What the image is built of is gone", {
        hint: "Add the template again.",
      });
    },
    async tidy(wanted) {
      for (const name of await readdir(directory).catch(() => [])) {
        if (wanted.has(name.replace(/\.tar$/, ""))) continue;
        const place = path.join(directory, name);
        const age = Date.now() - ((await stat(place).catch(() => null))?.mtimeMs ?? 0);
        if (age > youngMs) await rm(place, { recursive: true, force: true });
      }
    },
  };
}

function tooLarge(): CodedError {
  return new CodedError("too_large", `What an image is built of has at most ${largestBytes / 2 ** 20} MiB.`);
}

function tarOfFiles(files: Record<string, string>): Readable {
  const archive = new PassThrough();
  for (const [file, text] of Object.entries(files)) {
    const body = Buffer.from(text);
    const header = new Header({
      path: file,
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: body.length,
      type: "File",
      mtime: new Date(0),
    });
    header.encode();
    archive.write(header.block ?? Buffer.alloc(0));
    archive.write(body);
    archive.write(Buffer.alloc((512 - (body.length % 512)) % 512));
  }
  archive.end(Buffer.alloc(1024));
  return archive;
}
