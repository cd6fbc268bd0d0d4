import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { connect } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { readOpening } from "./opening.ts";

const sockets: { destroy(): void }[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** The first message of a real TLS client. */
async function helloOf(servername: string | undefined): Promise<Buffer> {
  await using server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const accepted = once(server, "connection");
  const client = connect({ host: "127.0.0.1", port, ...(servername === undefined ? {} : { servername }) });
  client.on("error", () => undefined);
  sockets.push(client);
  const [socket] = (await accepted) as [Socket];
  sockets.push(socket);
  const [hello] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  return hello;
}

/** The same handshake message in records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

test("the server name of a TLS client is read, however its bytes arrive", async () => {
  const hello = await helloOf("Example.com");
  expect(readOpening(hello)).toEqual({ kind: "named", host: "example.com" });
  for (let end = 1; end < hello.length; end += 1) expect(readOpening(hello.subarray(0, end)).kind).toBe("more");
  for (const size of [3, 100, 1_000]) {
    const records = inRecords(hello, size);
    expect(readOpening(records)).toEqual({ kind: "named", host: "example.com" });
    for (let end = 1; end < records.length; end += 7) expect(readOpening(records.subarray(0, end)).kind).toBe("more");
  }
});

test("a TLS client that names no server is nameless", async () => {
  expect(readOpening(await helloOf(undefined))).toEqual({ kind: "nameless" });
});

test("a TLS message with a wrong length anywhere never throws and never names a host that is not there", async () => {
  const hello = await helloOf("example.com");
  for (let at = 0; at < hello.length; at += 1) {
    const changed = Buffer.from(hello);
    changed[at] = changed[at] === 0xff ? 0 : 0xff;
    const opening = readOpening(changed);
    expect(opening.kind === "named" ? opening.host : "none").toMatch(/^[a-z0-9._-]+$/);
  }
});

test("the host of an HTTP request is read when its head is whole", () => {
  const head = "GET /a?b HTTP/1.1\r\nUser-Agent: x\r\nhOsT:  Example.com:8080 \r\n\r\n";
  expect(readOpening(Buffer.from(`${head}Host: other.test\r\n`))).toEqual({ kind: "named", host: "example.com" });
  for (let end = 1; end < head.length; end += 1) expect(readOpening(Buffer.from(head.slice(0, end))).kind).toBe("more");
});

test("an HTTP request that two readers could read in two ways is broken", () => {
  for (const head of [
    "GET http://other.test/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "CONNECT other.test:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: example.com\r\nHost: other.test\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: example.com/other.test\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: exa mple.com\r\n\r\n",
  ])
    expect([head, readOpening(Buffer.from(head)).kind]).toEqual([head, "broken"]);
});

test("an address instead of a name, no host, and other protocols are nameless", () => {
  for (const head of [
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: 203.0.113.7:80\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "USER somebody\r\n",
    "\0\0\0\x08\x04\xd2\x16\x2f",
  ])
    expect([head, readOpening(Buffer.from(head, "latin1")).kind]).toEqual([head, "nameless"]);
});

test("an opening that never ends is broken", () => {
  expect(readOpening(Buffer.from(`GET /${"a".repeat(70_000)}`)).kind).toBe("broken");
});
