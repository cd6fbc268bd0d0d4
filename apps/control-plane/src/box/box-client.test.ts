import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { CodedError } from "@alcove/contract/errors";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { createBoxClient } from "./box-client.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(path.join(tmpdir(), "alcove-box-"))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const signal = new AbortController().signal;

/** A daemon that says how many connections it has had, until it ends. */
async function startDaemon() {
  const socket = path.join(folder, "link.sock");
  let connections = 0;
  const server = http.createServer((_, response) => response.end(JSON.stringify(connections)));
  server.on("connection", () => (connections += 1));
  server.listen(socket);
  await once(server, "listening");
  return {
    async end() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function clientOf(released: () => void = () => undefined) {
  return createBoxClient({
    epoch: 1,
    async dial() {
      const socket = connect({ path: path.join(folder, "link.sock"), allowHalfOpen: true });
      await once(socket, "connect");
      return socket;
    },
    hold: () => released,
  });
}

const ask = (client: ReturnType<typeof clientOf>) => client.json(z.number(), { path: "/", signal });

test("requests one after the other share a connection, which does not count as use between them", async () => {
  const daemon = await startDaemon();
  let released = 0;
  const client = clientOf(() => (released += 1));
  expect(await ask(client)).toBe(1);
  expect(await ask(client)).toBe(1);
  expect(released).toBe(2);
  client.close();
  await daemon.end();
});

test("a daemon that came back is asked over a new connection", async () => {
  const client = clientOf();
  const first = await startDaemon();
  expect(await ask(client)).toBe(1);
  await first.end();
  await expect(ask(client)).rejects.toMatchObject({ code: "workspace_unreachable" });
  const second = await startDaemon();
  expect(await ask(client)).toBe(1);
  client.close();
  await second.end();
});

test("what is asked during a thaw that fails has the thaw's failure as its answer", async () => {
  const daemon = await startDaemon();
  const client = clientOf();
  const failing = client.during(Promise.reject(new CodedError("host_unreachable")));
  await expect(ask(failing)).rejects.toMatchObject({ code: "host_unreachable" });
  await expect(failing.awake).rejects.toMatchObject({ code: "host_unreachable" });
  expect(await ask(client)).toBeGreaterThan(0);
  client.close();
  await daemon.end();
});
