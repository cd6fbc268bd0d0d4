import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hashSources } from "./source-hash.ts";

test("the hash follows names and contents of sources and of nothing else", async () => {
  const root = await mkdtemp(join(tmpdir(), "alcove-hash-"));
  await mkdir(join(root, "src/node_modules"), { recursive: true });
  await writeFile(join(root, "src/a.ts"), "1");
  const first = await hashSources(["src"], root);

  await writeFile(join(root, "src/a.test.ts"), "a test");
  await writeFile(join(root, "src/node_modules/b.js"), "a package");
  expect(await hashSources(["src"], root)).toBe(first);

  await writeFile(join(root, "src/a.ts"), "2");
  const second = await hashSources(["src"], root);
  expect(second).not.toBe(first);

  await rename(join(root, "src/a.ts"), join(root, "src/b.ts"));
  expect(await hashSources(["src"], root)).not.toBe(second);
  await rm(root, { recursive: true });
});
