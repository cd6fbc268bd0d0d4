import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { forbiddenNamespaces } from "./forbidden-namespaces.ts";

let sysctl: string;
beforeEach(async () => {
  sysctl = await mkdtemp(path.join(tmpdir(), "alcove-sysctl-"));
  await mkdir(path.join(sysctl, "kernel"));
  await mkdir(path.join(sysctl, "user"));
});
afterEach(() => rm(sysctl, { recursive: true }));

test("a host without any such setting allows them", () => {
  expect(forbiddenNamespaces(false, sysctl)).toBeNull();
});

test("Ubuntu's restriction is named with the command that lifts it, and does not bind root", async () => {
  await writeFile(path.join(sysctl, "kernel/apparmor_restrict_unprivileged_userns"), "1\n");
  expect(forbiddenNamespaces(false, sysctl)).toMatchObject({
    level: "broken",
    remedy: "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
  });
  expect(forbiddenNamespaces(true, sysctl)).toBeNull();
});

test("a host that allows none at all binds root too", async () => {
  await writeFile(path.join(sysctl, "user/max_user_namespaces"), "0\n");
  expect(forbiddenNamespaces(true, sysctl)).toMatchObject({ remedy: "sudo sysctl -w user.max_user_namespaces=28633" });
});
