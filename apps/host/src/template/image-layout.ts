import { createHash, type Hash } from "node:crypto";
import { closeSync, createReadStream, openSync } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import { arch } from "node:os";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { invalid, readEntries } from "./archive-entries.ts";
import type { Budget } from "./apply-layer.ts";
import { writeAll } from "./root-files.ts";

/** OCI image-spec 1.1: image-layout.md, image-index.md, manifest.md, config.md; Docker's types for the same. */
const descriptorSchema = z.object({
  mediaType: z.string().optional(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, "is not a sha256 digest"),
  size: z.number().int().min(0),
  platform: z.object({ architecture: z.string(), os: z.string() }).optional(),
});
const indexSchema = z.object({ manifests: z.array(descriptorSchema).min(1).max(1_000) });
const manifestSchema = z.object({ config: descriptorSchema, layers: z.array(descriptorSchema).max(1_000) });
const configSchema = z.object({
  architecture: z.string(),
  os: z.string(),
  config: z
    .object({
      Env: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
});

export type ImageConfig = { env: Record<string, string>; start: string | null; ports: number[] };
export type Image = { layers: string[]; config: ImageConfig };

const largestJson = 4 * 2 ** 20;
const ownArchitecture = arch() === "x64" ? "amd64" : arch();
const nested = /index|manifest\.list/;

/**
 * Takes an OCI image layout out of a tar, each blob by its digest; null when the tar is something else. Whatever the tar has beside the layout is left out.
 * Code: `template_invalid`.
 */
export async function readImageLayout(
  archive: string,
  scratch: string,
  budget: Budget,
  signal: AbortSignal,
): Promise<Image | null> {
  const blobs = `${scratch}/blobs`;
  await mkdir(blobs, { recursive: true, mode: 0o700 });
  let isLayout = true;
  let isOldImage = false;
  /** The blob whose bytes come; the archive may break off in the middle of it. */
  let half: number | undefined;
  await readEntries(
    archive,
    (entry) => {
      const path = entry.path.replace(/^\.\//, "").replace(/\/$/, "");
      if (entry.type === "Directory" && ["", ".", "blobs", "blobs/sha256"].includes(path)) return "next";
      const digest = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
      isOldImage ||= path === "manifest.json";
      const name = digest ?? (path === "index.json" ? "index.json" : undefined);
      const belongs =
        ["oci-layout", "manifest.json", "repositories", "index.json"].includes(path) || digest !== undefined;
      if (!belongs && !/^[0-9a-f]{64}(?:\.json|\/.*)?$/.test(path)) {
        isLayout = false;
        return "stop";
      }
      if (name === undefined || !["File", "OldFile"].includes(entry.type)) return "next";
      budget.bytes -= entry.size;
      if (budget.bytes < 0) throw invalid("it is larger than an image may be");
      const file = openSync(`${blobs}/${name}`, "w", 0o600);
      half = file;
      entry.on("data", (chunk: Buffer) => writeAll(file, chunk));
      entry.once("end", () => {
        closeSync(file);
        half = undefined;
      });
      return "next";
    },
    signal,
  ).finally(() => {
    if (half !== undefined) closeSync(half);
  });
  if (!isLayout) return null;
  const index = await readFile(`${blobs}/index.json`).catch(() => null);
  if (index === null && !isOldImage) return null;
  if (index === null)
    throw invalid("it is an image in Docker's old form: save it by Docker 25 or later, or by `skopeo copy`");

  const blob = async ({ digest, size }: z.infer<typeof descriptorSchema>): Promise<string> => {
    const path = `${blobs}/${digest.slice("sha256:".length)}`;
    const found = await stat(path).catch(() => null);
    if (found === null) throw invalid(`its blob ${digest} is missing`);
    if (found.size !== size || (await digestOf(path)) !== digest) throw invalid(`its blob ${digest} is damaged`);
    return path;
  };
  const parsed = async <S extends z.ZodType>(path: string, schema: S, what: string): Promise<z.infer<S>> => {
    if ((await stat(path)).size > largestJson) throw invalid(`its ${what} is too large`);
    try {
      return schema.parse(JSON.parse(await readFile(path, "utf8")));
    } catch (cause) {
      throw invalid(`its ${what} is not what an image has`, cause);
    }
  };

  let manifests = (await parsed(`${blobs}/index.json`, indexSchema, "index")).manifests;
  for (let depth = 0; ; depth += 1) {
    const chosen = chooseManifest(manifests);
    if (!nested.test(chosen.mediaType ?? "")) {
      const manifest = await parsed(await blob(chosen), manifestSchema, "manifest");
      const config = await parsed(await blob(manifest.config), configSchema, "configuration");
      requireOwnPlatform(config);
      const layers: string[] = [];
      for (const layer of manifest.layers) layers.push(await blob(layer));
      return { layers, config: whatItSays(config.config ?? {}) };
    }
    if (depth > 3) throw invalid("its index names another, again and again");
    manifests = (await parsed(await blob(chosen), indexSchema, "index")).manifests;
  }
}

function chooseManifest(manifests: z.infer<typeof descriptorSchema>[]): z.infer<typeof descriptorSchema> {
  const fitting = manifests.filter(
    ({ platform }) => platform === undefined || (platform.os === "linux" && platform.architecture === ownArchitecture),
  );
  const [chosen] = fitting;
  if (chosen === undefined) throw invalid(`it has no image for linux/${ownArchitecture}`);
  return chosen;
}

function requireOwnPlatform({ os, architecture }: { os: string; architecture: string }): void {
  if (os !== "linux" || architecture !== ownArchitecture)
    throw invalid(`it is an image for ${os}/${architecture}, and this server is linux/${ownArchitecture}`);
}

/** Environment, command and ports of an image's configuration. */
export function whatItSays(config: NonNullable<z.infer<typeof configSchema>["config"]>): ImageConfig {
  const env: Record<string, string> = {};
  for (const line of config.Env ?? []) {
    const at = line.indexOf("=");
    const name = line.slice(0, Math.max(0, at));
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !line.includes("\0")) env[name] = line.slice(at + 1);
  }
  const words = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  const ports = Object.keys(config.ExposedPorts ?? {}).flatMap((text) => {
    const port = /^(\d{1,5})(?:\/tcp)?$/.exec(text)?.[1];
    return port === undefined || Number(port) < 1 || Number(port) > 65_535 ? [] : [Number(port)];
  });
  return { env, start: words.length === 0 ? null : words.map(quote).join(" "), ports: ports.slice(0, 20) };
}

/** A word as a shell reads it. */
function quote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

async function digestOf(path: string): Promise<string> {
  const hash: Hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest("hex")}`;
}
