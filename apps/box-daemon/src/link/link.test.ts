import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { boxHealthSchema } from "@alcove/contract/box/health";
import { boxPortsSchema, watchLineSchema, type WatchLine } from "@alcove/contract/box/ports";
import { parseUplinkLine } from "@alcove/contract/box/raw";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, readLine, startDaemon, type TestDaemon } from "../testing/start-daemon.ts";

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon[Symbol.asyncDispose]());

async function listen(handle: (socket: Socket) => void, host = "127.0.0.1") {
  const server = createServer({ allowHalfOpen: true }, handle).listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { server, port: address.port };
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("health says who answers", async () => {
  const health = boxHealthSchema.parse((await daemon.call("GET", "/v1/health")).json());
  expect(health).toMatchObject({ workspace: "ws_00000000000000000000", epoch: 7, diskWritable: true, tmux: true });
});

test("a caller that believes in another epoch is refused", async () => {
  expect((await daemon.call("GET", "/v1/health", { headers: { "x-alcove-epoch": "7" } })).status).toBe(200);
  const stale = await daemon.call("GET", "/v1/health", { headers: { "x-alcove-epoch": "6" } });
  expect([stale.status, stale.json()]).toEqual([409, expect.objectContaining({ code: "workspace_unreachable" })]);
});

test("several requests go over one connection", async () => {
  const socket = daemon.dial();
  const request = (close: string) => `GET /v1/health HTTP/1.1\r\nhost: box\r\n${close}\r\n`;
  socket.write(request("") + request("connection: close\r\n"));
  expect((await readAll(socket)).toString().match(/HTTP\/1.1 200/g)).toHaveLength(2);
});

test("a tunnel carries bytes both ways, with each side's end", async () => {
  const bytes = Buffer.alloc(8 * 2 ** 20, "abc");
  const { server, port } = await listen(
    (socket) => void readAll(socket).then((all) => socket.end(Buffer.concat([Buffer.from("got "), all]))),
  );
  const tunnel = await daemon.raw({ verb: "tunnel", port });
  tunnel.end(bytes);
  expect((await readAll(tunnel)).equals(Buffer.concat([Buffer.from("got "), bytes]))).toBe(true);
  server.close();
});

test("a reader that does not read stops who writes, and gets all of it later", async () => {
  const bytes = Buffer.alloc(100 * 2 ** 20, "abc");
  const before = residentMegabytes();
  const { server, port } = await listen((socket) => socket.end(bytes));
  const tunnel = await daemon.raw({ verb: "tunnel", port });
  for (let calls = 0; calls < 200; calls++) await daemon.call("GET", "/v1/health");
  expect(residentMegabytes() - before).toBeLessThan(40);
  expect((await readAll(tunnel)).equals(bytes)).toBe(true);
  server.close();
});

function residentMegabytes(): number {
  const status = readFileSync(`/proc/${daemon.servePid()}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

test("a tunnel whose server breaks off is closed", async () => {
  const { server, port } = await listen((socket) => void once(socket, "data").then(() => socket.resetAndDestroy()));
  const tunnel = await daemon.raw({ verb: "tunnel", port });
  tunnel.write("x");
  await readAll(tunnel).catch(() => undefined);
  tunnel.destroy();
  server.close();
});

test("a server hears that its caller has gone, also when bytes for the caller wait", async () => {
  const closed = Promise.withResolvers<void>();
  const { server, port } = await listen((socket) => {
    socket.on("error", () => undefined);
    socket.once("close", () => closed.resolve());
    socket.write(Buffer.alloc(8 * 2 ** 20));
  });
  const tunnel = await daemon.raw({ verb: "tunnel", port });
  tunnel.destroy();
  await closed.promise;
  server.close();
});

test("what came behind the line of a raw request reaches the server", async () => {
  const { server, port } = await listen((socket) => void readAll(socket).then((all) => socket.end(all)));
  const socket = daemon.dial();
  socket.end(`ALCOVE/1 TUNNEL ${port}\nhello`);
  expect((await readAll(socket)).toString()).toBe("OK\nhello");
  server.close();
});

test("a tunnel finds a server that listens on IPv6 only", async () => {
  const { server, port } = await listen((socket) => socket.end("six"), "::1");
  expect((await readAll(await daemon.raw({ verb: "tunnel", port }))).toString()).toBe("six");
  server.close();
});

test("a tunnel to a closed port and a malformed line are refused with a code", async () => {
  await expect(daemon.raw({ verb: "tunnel", port: await freePort() })).rejects.toThrow("ERR port_closed");
  const socket = daemon.dial();
  socket.write(`ALCOVE/1 ${"x".repeat(400)}\n`);
  expect(await readLine(socket)).toMatch(/^ERR bad_request/);
  socket.destroy();
});

test("a connection to the gateway port waits for its stream, also while there is no uplink", async () => {
  const inBox = connect(daemon.gatewayPort, "127.0.0.1");
  inBox.write("hello");
  await once(inBox, "connect");
  const uplink = await daemon.raw({ verb: "uplink" });
  const line = parseUplinkLine(await readLine(uplink));
  if (line === null || !("open" in line)) throw new Error("no stream was announced");
  const stream = await daemon.raw({ verb: "stream", stream: line.open });
  stream.end("answer");
  expect((await readAll(inBox)).toString()).toBe("answer");
  expect((await readAll(stream)).toString()).toBe("hello");
  await expect(daemon.raw({ verb: "stream", stream: line.open })).rejects.toThrow("ERR not_found");
  uplink.destroy();
});

test("a gateway port that another program holds is taken as soon as it is free", async () => {
  const { server, port } = await listen((socket) => socket.destroy());
  await using other = await startDaemon({ env: { ALCOVE_GATEWAY_PORT: String(port) } });
  await other.answering();
  expect(other.log()).toContain("Cannot listen on the gateway port");
  server.close();
  const connected = async (): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1");
    return once(socket, "connect").then(
      () => socket,
      () => connected(),
    );
  };
  const inBox = await connected();
  const uplink = await other.raw({ verb: "uplink" });
  expect(parseUplinkLine(await readLine(uplink))).toHaveProperty("open");
  inBox.destroy();
  uplink.destroy();
});

test("programs of the box get no descriptor of the daemon's", async () => {
  const answer = await daemon.call("POST", "/v1/exec", {
    // Not in a pipeline: for a moment the shell would have its ends.
    body: { command: ["sh", "-c", "ls /proc/$$/fd; true"] },
  });
  expect(answer.body.toString().split("\n")[0]).toContain(String.raw`"0\n1\n2\n"`);
});

test("the newest uplink wins", async () => {
  const first = await daemon.raw({ verb: "uplink" });
  first.resume();
  const closed = once(first, "end");
  const second = await daemon.raw({ verb: "uplink" });
  await closed;
  const inBox = connect(daemon.gatewayPort, "127.0.0.1");
  expect(parseUplinkLine(await readLine(second))).toHaveProperty("open");
  inBox.destroy();
  second.destroy();
});

test("ports are seen when they open and close, with the name of the process, the gateway's own left out", async () => {
  const response = await daemon.open("GET", "/v1/watch");
  response.on("error", () => undefined);
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  const until = async (found: (ports: readonly { port: number }[]) => boolean) => {
    for (;;) {
      const line: WatchLine = watchLineSchema.parse(JSON.parse((await lines.next()).value ?? ""));
      if ("ports" in line && found(line.ports)) return line.ports;
    }
  };
  const { server, port } = await listen(() => undefined);
  const ports = await until((list) => list.some((entry) => entry.port === port));
  expect(ports.find((entry) => entry.port === port)).toMatchObject({
    address: "127.0.0.1",
    process: expect.stringMatching(/./),
  });
  expect(ports.map((entry) => entry.port)).not.toContain(daemon.gatewayPort);
  server.close();
  await until((list) => !list.some((entry) => entry.port === port));
  // As many sockets as before.
  const one = await listen(() => undefined);
  await until((list) => list.some((entry) => entry.port === one.port));
  const other = createServer();
  one.server.close();
  other.listen(0, "127.0.0.1");
  await until((list) => !list.some((entry) => entry.port === one.port) && list.length > 0);
  other.close();
  response.destroy();
  boxPortsSchema.parse((await daemon.call("GET", "/v1/ports")).json());
});

test("the daemon is started again when it is killed", async () => {
  const before = daemon.servePid();
  process.kill(before, "SIGKILL");
  await daemon.answering();
  expect(daemon.servePid()).not.toBe(before);
});
