import { readdir } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askBox } from "../../apps/control-plane/src/runtimes/runtime.contract.ts";
import type { BoxAddress } from "../../apps/control-plane/src/runtimes/runtime.ts";
import { newId, type WorkspaceId } from "../../packages/contract/src/ids.ts";
import { startTestDocker } from "../fixtures/docker.ts";
import { startTestHost, type TestHost } from "../fixtures/host.ts";
import { makeSmallImages } from "../fixtures/small-images.ts";

const docker = await startTestDocker();
const signal = new AbortController().signal;

describe.skipIf(docker === undefined)("a box over any image", () => {
  let host: TestHost;
  beforeAll(async () => {
    if (docker === undefined) return;
    await makeSmallImages(docker);
    host = await startTestHost({ as: "root", docker: docker.address });
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await docker?.[Symbol.asyncDispose]();
  });

  const open = async (image: string, id = newId("workspace")): Promise<{ id: WorkspaceId; address: BoxAddress }> => {
    await host.volumes.create(id, signal);
    await host.runtime.create({ workspace: id, name: "any", image }, signal);
    return { id, address: await host.runtime.start(id, 1, signal) };
  };
  const close = async (id: WorkspaceId): Promise<void> => {
    await host.runtime.destroy(id, signal);
    await host.volumes.destroy(id, signal);
    expect(await host.leftovers(id)).toEqual([]);
  };
  const run = async (address: BoxAddress, ...command: string[]): Promise<string> => {
    const answer = await askBox(host.runtime, address, { method: "POST", path: "/v1/exec" }, { command });
    if (answer.statusCode !== 200) throw new Error(await text(answer));
    let output = "";
    for await (const line of createInterface({ input: answer })) {
      const event = JSON.parse(line) as { kind: string; data?: string };
      output += event.data ?? "";
    }
    return output;
  };

  test("with musl alone: its programs run as the user, and load none of the daemon's libraries", async () => {
    const { id, address } = await open("test-musl");
    expect(await run(address, "app")).toBe("user 1000, libc musl\n");
    expect(await run(address, "sh", "-c", "id -u; id -un; echo $SHELL $HOME; env | grep -c LD_LIBRARY_PATH")).toBe(
      "1000\nuser\n/bin/sh /workspace/user/home\n0\n",
    );
    expect(await host.runtime.inspect(id, signal)).toMatchObject({ rootfs: "image" });
    await close(id);
  });

  test("with musl alone: a terminal is a shell of the image's", async () => {
    const { id, address } = await open("test-musl");
    const made = await askBox(host.runtime, address, { method: "POST", path: "/v1/terminals" }, { cols: 80, rows: 24 });
    expect(made.statusCode).toBeLessThan(300);
    // It is held by tmux, which the image does not have, and its shell loads nothing of that.
    expect(JSON.parse(await text(made))).toMatchObject({ cols: 80, rows: 24, persistent: true });
    await expect.poll(() => run(address, "sh", "-c", "ps -o args | grep '^[/a-z]*sh -l'")).toMatch(/sh -l/);
    const shells = await run(
      address,
      "sh",
      "-c",
      "for pid in $(pidof sh); do cat /proc/$pid/environ; done 2> /dev/null",
    );
    expect(shells).toContain("ALCOVE_TERMINAL=");
    expect(shells).not.toContain("LD_LIBRARY_PATH");
    await close(id);
  });

  test("with one program and nothing else", async () => {
    const { id, address } = await open("test-bare");
    expect(await run(address, "/app", "/workspace/user/projects/made", "by the program")).toBe(
      "user 1000, libc none\n",
    );
    await host.runtime.stop(id, 1, signal);
    const next = await host.runtime.start(id, 2, signal);
    const file = await askBox(host.runtime, next, { path: "/v1/files/user/projects/made" });
    expect(await text(file)).toBe("by the program");
    await close(id);
  });

  test("whose image is gone from Docker starts again: its files are the workspace's own", async () => {
    const { id } = await open("test-musl");
    await host.runtime.stop(id, 1, signal);
    await docker?.docker("rmi", "test-musl");
    const next = await host.runtime.start(id, 2, signal);
    expect(await run(next, "app")).toBe("user 1000, libc musl\n");
    const trees = path.join(host.data, "pool", "images");
    const before = await readdir(trees);
    await host.restart();
    expect(await readdir(trees)).toEqual(before);
    await close(id);
    await host.restart();
    await expect.poll(async () => (await readdir(trees)).length, { timeout: 20_000 }).toBe(before.length - 1);
  });

  test("an image that Docker does not have is refused with the command that gets it", async () => {
    const id = newId("workspace");
    await host.volumes.create(id, signal);
    await host.runtime.create({ workspace: id, name: "any", image: "nowhere:1" }, signal);
    await expect(host.runtime.start(id, 1, signal)).rejects.toMatchObject({
      code: "image_not_found",
      hint: expect.stringContaining("docker pull nowhere:1"),
    });
    await close(id);
  });
});
