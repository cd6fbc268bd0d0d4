import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findConnection, storeLogin } from "./connection.ts";

let home: string;
let env: Record<string, string>;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "alcove-cli-"));
  env = { XDG_CONFIG_HOME: join(home, "config"), ALCOVE_DATA: join(home, "data") };
});
afterEach(() => rm(home, { recursive: true }));

test("on the server's own machine the secret of the data directory is the key", async () => {
  await mkdir(join(home, "data/secrets"), { recursive: true });
  await mkdir(join(home, "data/run"));
  await writeFile(join(home, "data/secrets/cli.secret"), "s3cret\n");
  await writeFile(join(home, "data/run/start.json"), JSON.stringify({ address: "http://127.0.0.1:7711" }));
  expect(await findConnection(env)).toEqual({
    address: "http://127.0.0.1:7711",
    key: "s3cret",
    source: "this machine",
  });
});

test("a login is kept for this user alone and comes before the own machine", async () => {
  const path = await storeLogin({ address: "https://far.example", key: "alc_1" }, env);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await findConnection(env)).toEqual({ address: "https://far.example", key: "alc_1", source: "login" });
});

test("the environment comes before a login", async () => {
  await storeLogin({ address: "https://far.example", key: "alc_1" }, env);
  const connection = await findConnection({ ...env, ALCOVE_URL: "http://near.example", ALCOVE_KEY: "alc_2" });
  expect(connection).toEqual({ address: "http://near.example", key: "alc_2", source: "environment" });
});

test("without anything it is the default port of this machine", async () => {
  expect(await findConnection(env)).toEqual({
    address: "http://127.0.0.1:7700",
    key: undefined,
    source: "this machine",
  });
});
