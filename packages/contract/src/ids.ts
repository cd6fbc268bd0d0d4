import { z } from "zod";

/** Prefixes of all public ids; the rest is 20 characters of Crockford base 32 in lower case. */
export const idPrefixes = {
  workspace: "ws",
  session: "ses",
  run: "run",
  approval: "apr",
  user: "usr",
  key: "key",
  snapshot: "snap",
  terminal: "term",
} as const;

export type IdKind = keyof typeof idPrefixes;
export type Id<K extends IdKind> = string & { readonly __id: K };
export type WorkspaceId = Id<"workspace">;
export type SessionId = Id<"session">;
export type RunId = Id<"run">;
export type ApprovalId = Id<"approval">;
export type UserId = Id<"user">;
export type SnapshotId = Id<"snapshot">;

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** A fresh id of the kind: 100 random bits behind the prefix. */
export function newId<K extends IdKind>(kind: K): Id<K> {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  let text = "";
  for (const byte of bytes) text += alphabet.charAt(byte & 31);
  return parseId(kind, `${idPrefixes[kind]}_${text}`);
}

/** True when the text has the form of an id of the kind. */
export function isId<K extends IdKind>(kind: K, text: string): text is Id<K> {
  return text.startsWith(`${idPrefixes[kind]}_`) && /^[0-9a-z]{20}$/.test(text.slice(idPrefixes[kind].length + 1));
}

/** The text as a branded id; throws a TypeError when its form is wrong. */
export function parseId<K extends IdKind>(kind: K, text: string): Id<K> {
  if (!isId(kind, text)) throw new TypeError(`"${text}" is not a ${kind} id`);
  return text;
}

export function idSchema<K extends IdKind>(kind: K) {
  return z.custom<Id<K>>((value) => typeof value === "string" && isId(kind, value), {
    message: `is not a ${kind} id`,
  });
}
