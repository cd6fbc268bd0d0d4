import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { type Answer, decode, encode, type Packet } from "dns-packet";

/**
 * Every other machine of the world, in a network namespace of a test: a name server, and on each address that the namespace has a web server that tells which
 * host it was asked for and at which address, a server that speaks first, and an echo. Questions for names are printed, one a line.
 */

const [nameServer = "", certificate = "", key = ""] = process.argv.slice(2);
const many = "x".repeat(1_000_000);

/** What a name leads to; of several sets each question gets the next. */
const zone: Record<string, { A?: string[][]; AAAA?: string[]; CNAME?: string }> = {
  "allowed.test": { A: [["198.51.100.10"]] },
  "wild.test": { A: [["198.51.100.30"]] },
  "a.wild.test": { A: [["198.51.100.20"]] },
  "b.c.wild.test": { A: [["198.51.100.20"]] },
  "other.test": { A: [["198.51.100.30"]] },
  "alias.test": { CNAME: "other.test" },
  "rebind.test": { A: [["198.51.100.10"], ["169.254.169.254"], ["127.0.0.1"], ["10.77.0.1"]] },
  "mixed.test": { A: [["192.168.77.1", "198.51.100.10", "10.77.0.1"]] },
  "metadata.test": { A: [["169.254.169.254"]] },
  "mapped.test": { AAAA: ["::ffff:10.77.0.1", "64:ff9b::a4d:1", "fd00:77::1", "::1", "2002:a4d:1::1", "2001:db8::7"] },
  "host-own.test": { A: [["198.51.100.1"]] },
  "large.test": { A: [Array.from({ length: 200 }, (_, index) => `198.51.101.${index}`)] },
};
const asked = new Map<string, number>();

function answerTo(wire: Buffer, overTcp: boolean): Buffer {
  const query = decode(wire);
  const [question] = query.questions ?? [];
  if (!question) throw new Error("a question without a question");
  console.log(`asked ${question.type} ${question.name}`);
  const answers = recordsOf(question.name.toLowerCase(), question.type);
  const response: Packet = { type: "response", id: query.id ?? 0, questions: [question], flags: 0x0180 };
  if (answers === null) return encode({ ...response, flags: 0x0183 });
  const whole = encode({ ...response, answers });
  return overTcp || whole.length <= 512 ? whole : encode({ ...response, flags: 0x0380 });
}

function recordsOf(name: string, type: string): Answer[] | null {
  const entry = zone[name];
  if (!entry) return null;
  if (entry.CNAME !== undefined)
    return [{ name, type: "CNAME", class: "IN", ttl: 1, data: entry.CNAME }, ...(recordsOf(entry.CNAME, type) ?? [])];
  if (type === "TXT") return [{ name, type, class: "IN", ttl: 1, data: "secret" }];
  if (type === "AAAA") return (entry.AAAA ?? []).map((data) => ({ name, type, class: "IN", ttl: 1, data }));
  if (type !== "A" || !entry.A) return [];
  const turn = asked.get(name) ?? 0;
  asked.set(name, turn + 1);
  return (entry.A[turn % entry.A.length] ?? []).map((data) => ({ name, type, class: "IN", ttl: 1, data }));
}

const here = (socket: Socket): string => (socket.localAddress ?? "").replace("::ffff:", "");
const listening: Promise<unknown>[] = [];
function listen(server: { listen(port: number, host: string, done: () => void): unknown }, port: number, host = "::") {
  listening.push(new Promise<void>((resolve) => server.listen(port, host, resolve)));
}

const names = createSocket("udp4");
names.on("message", (wire, { address, port }) => names.send(answerTo(wire, false), port, address));
listening.push(new Promise<void>((resolve) => names.bind(53, nameServer, resolve)));
const namesByTcp = createServer((socket) => {
  socket.on("error", () => undefined);
  socket.once("data", (wire) => {
    const answer = answerTo(wire.subarray(2), true);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(answer.length);
    socket.end(Buffer.concat([length, answer]));
  });
});
listen(namesByTcp, 53, nameServer);

const web = createHttpServer((request, response) => {
  request.resume().on("end", () => {
    response.end(request.url === "/many" ? many : `http host=${request.headers.host} at=${here(request.socket)}\n`);
  });
});
listen(web, 80);
const secure = createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (socket) => {
  socket.on("error", () => undefined);
  const text = `tls name=${String(Reflect.get(socket, "servername"))} at=${here(socket)}\n`;
  socket.once("data", () => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`));
});
listen(secure, 443);
/** Speaks first, then says back what it hears. */
const polite = createServer((socket) => {
  socket.on("error", () => undefined);
  socket.write(`welcome at=${here(socket)}\n`);
  socket.pipe(socket);
});
listen(polite, 7022);
const canary = createServer((socket) => {
  socket.on("error", () => undefined);
  socket.end("canary\n");
});
listen(canary, 7999);
const echo = createSocket("udp6");
echo.on("message", (_, { address, port }) => echo.send("canary\n", port, address));
listening.push(new Promise<void>((resolve) => echo.bind(7999, "::", resolve)));

await Promise.all(listening);
const address: AddressInfo | string | null = canary.address();
console.log(`ready ${typeof address === "object" ? address?.port : ""}`);
