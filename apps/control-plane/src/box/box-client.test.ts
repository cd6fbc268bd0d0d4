import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { CodedError } from "@alcove/contract/errors";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { createBoxClient, type BoxClient } from "./box-client.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(path.join(tmpdir(), "alcove-box-"))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const signal = new AbortController().signal;

/** A daemon that says how many connections it has had, until it ends. */
async function startDaemon() {
  const socket = path.join(folder, "link.sock");
  let connections = 0;
  const asked = Promise.withResolvers<void>();
  const server = http.createServer((_, response) => {
    asked.resolve();
    response.end(JSON.stringify(connections));
  });
  server.on("connection", () => (connections += 1));
  server.listen(socket);
  await once(server, "listening");
  return {
    /** Resolves with the first request. */
    asked: asked.promise,
    async end() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function clientOf(released: () => void = () => undefined) {
  const sockets: Socket[] = [];
  const client = createBoxClient({
    epoch: 1,
    async dial() {
      const socket = connect({ path: path.join(folder, "link.sock"), allowHalfOpen: true });
      sockets.push(socket);
      await once(socket, "connect");
      return socket;
    },
    hold: () => released,
  });
  /** Bytes that were written to the daemon. */
  const written = () => sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
  return { ...client, written };
}

const ask = (client: BoxClient) => client.json(z.number(), { path: "/", signal });

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

test("a question is on its way before the box is woken for it, once, and its answer comes after that", async () => {
  const daemon = await startDaemon();
  const client = clientOf();
  const written: number[] = [];
  const awake = Promise.withResolvers<void>();
  const woken = client.during(async () => {
    written.push(client.written());
    await awake.promise;
  });
  let answers = 0;
  const asking = [ask(woken), ask(woken)].map((answer) => answer.then(() => (answers += 1)));
  await daemon.asked;
  await new Promise((resolve) => setImmediate(resolve));
  expect(answers).toBe(0);
  awake.resolve();
  await Promise.all(asking);
  await woken.wake();
  expect(written).toEqual([expect.any(Number)]);
  expect(written[0]).toBeGreaterThan(0);
  client.close();
  await daemon.end();
});

test("a question too long for a socket wakes the box that is to read it", async () => {
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    void woken.promise.then(() => socket.resume().write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
  });
  server.listen(path.join(folder, "link.sock"));
  await once(server, "listening");
  const woken = Promise.withResolvers<void>();
  const client = clientOf();
  const waking = client.during(() => Promise.resolve(woken.resolve()));
  const answer = await waking.send({ method: "POST", path: "/", body: Buffer.alloc(2 ** 24), signal });
  answer.resume();
  await once(answer, "end");
  client.close();
  await new Promise((resolve) => server.close(resolve));
});

test("what is asked during a thaw that fails has the thaw's failure as its answer", async () => {
  const daemon = await startDaemon();
  const client = clientOf();
  const failing = client.during(() => Promise.reject(new CodedError("host_unreachable")));
  await expect(ask(failing)).rejects.toMatchObject({ code: "host_unreachable" });
  await expect(failing.wake()).rejects.toMatchObject({ code: "host_unreachable" });
  expect(await ask(client)).toBeGreaterThan(0);
  client.close();
  await daemon.end();
});
