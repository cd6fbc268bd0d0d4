import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { access, link, mkdir, open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { CodedError } from "@alcove/contract/errors";

export interface Seal {
  /** Encrypts text; `context` (such as the owner and name) must be the same to open it. */
  seal(text: string, context: string): string;
  /** The text again; throws when key, context or text were changed. */
  open(sealed: string, context: string): string;
  /** A key for another purpose, derived from the master key: 32 bytes as hex. */
  derive(purpose: string): string;
}

const formatVersion = "v1";

/** AES-256-GCM with a key derived by HKDF-SHA-256 from the master key; `v1.<nonce>.<tag>.<ciphertext>`, each base64url. */
export function createSeal(masterKey: Buffer): Seal {
  const key = Buffer.from(hkdfSync("sha256", masterKey, "alcove", "seal", 32));
  return {
    seal(text, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return [formatVersion, ...[nonce, cipher.getAuthTag(), body].map((part) => part.toString("base64url"))].join(".");
    },
    open(sealed, context) {
      const [version, nonce, tag, body] = sealed.split(".");
      if (version !== formatVersion || nonce === undefined || tag === undefined || body === undefined) {
        throw new Error("A sealed value has an unknown form");
      }
      const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64url"), { authTagLength: 16 });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(Buffer.from(tag, "base64url"));
      return decipher.update(Buffer.from(body, "base64url"), undefined, "utf8") + decipher.final("utf8");
    },
    derive: (purpose) => Buffer.from(hkdfSync("sha256", masterKey, "alcove", purpose, 32)).toString("hex"),
  };
}

/**
 * A random secret kept in a file of mode 0600, made when it is missing; two processes that start at once get the same one.
 * Errors: `data_not_writable`.
 */
export async function secretFile(directory: string, name: string, bytes = 32): Promise<string> {
  const file = path.join(directory, name);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (!(await isThere(file))) await placeOnce(file, randomBytes(bytes).toString("hex"));
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodedError("data_not_writable", `Cannot keep a secret in ${directory}: ${reason}`, { cause: error });
  }
}

/** Writes the whole file beside its place and links it there: nobody reads half of it, and whoever is second changes nothing. */
async function placeOnce(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString("hex")}`;
  try {
    await using handle = await open(draft, "wx", 0o600);
    await handle.writeFile(text);
    await handle.sync();
    await link(draft, file);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Compares in constant time. */
export function sameSecret(left: string, right: string): boolean {
  return timingSafeEqual(Buffer.from(sha256(left)), Buffer.from(sha256(right)));
}
