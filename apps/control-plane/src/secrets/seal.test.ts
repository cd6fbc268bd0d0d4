import { randomBytes } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { createSeal, secretFile } from "./seal.ts";

test("a sealed key opens only with the same key and for the same owner", () => {
  const seal = createSeal(randomBytes(32));
  const sealed = seal.seal("sk-secret", "provider:a:anthropic");
  expect(sealed).not.toContain("sk-secret");
  expect(seal.open(sealed, "provider:a:anthropic")).toBe("sk-secret");
  expect(() => seal.open(sealed, "provider:b:anthropic")).toThrow();
  expect(() => createSeal(randomBytes(32)).open(sealed, "provider:a:anthropic")).toThrow();
  expect(() => seal.open(`${sealed.slice(0, -2)}AA`, "provider:a:anthropic")).toThrow();
});

test("two processes that start at once share one secret file of mode 0600", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "alcove-secret-"));
  const secrets = await Promise.all(Array.from({ length: 8 }, () => secretFile(folder, "master.key")));
  expect(new Set(secrets).size).toBe(1);
  expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
  expect((await stat(path.join(folder, "master.key"))).mode & 0o777).toBe(0o600);
  await rm(folder, { recursive: true });
});

test("a secret that cannot be kept says so with a code", async () => {
  await expect(secretFile("/dev/null/nowhere", "master.key")).rejects.toMatchObject({ code: "data_not_writable" });
});
