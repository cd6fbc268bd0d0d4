import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { decode, encode } from "dns-packet";
import { expect, onTestFinished, test } from "vitest";
import { createUpstream } from "./upstream.ts";

/** A name server on a loopback address of its own; `answer` gives the messages that it sends back. */
async function startServer(address: string, answer: (query: Buffer) => Buffer[]): Promise<string[]> {
  const asked: string[] = [];
  const server = createSocket("udp4");
  server.on("message", (wire, from) => {
    asked.push(decode(wire).questions?.[0]?.name ?? "");
    for (const message of answer(wire)) server.send(message, from.port, from.address);
  });
  server.bind(53, address);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return asked;
}

async function upstreamOf(...servers: string[]) {
  const folder = await mkdtemp(path.join(tmpdir(), "alcove-upstream-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "resolv.conf");
  await writeFile(file, servers.map((server) => `nameserver ${server}\n`).join(""));
  return createUpstream(file);
}

const reply = (query: Buffer, address: string, change: { id?: number; name?: string } = {}): Buffer => {
  const { id = 0, questions = [] } = decode(query);
  const [question = { name: "", type: "A" as const }] = questions;
  const name = change.name ?? question.name;
  return encode({
    type: "response",
    id: change.id ?? id,
    questions: [{ ...question, name }],
    answers: [{ name, type: "A", ttl: 1, data: address }],
  });
};
const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)("a resolver that is not there is passed by for the next one at once", async () => {
  await startServer("127.9.9.2", (query) => [reply(query, "198.51.100.7")]);
  const upstream = await upstreamOf("127.9.9.1", "127.9.9.2");
  expect(await upstream.ask("a.test", "A")).toMatchObject({ answers: [{ data: "198.51.100.7" }] });
});

test.runIf(isRoot)("an answer with another id or to another question is not taken", async () => {
  await startServer("127.9.9.3", (query) => [
    reply(query, "198.51.100.1", { id: (query.readUInt16BE(0) + 1) % 65_536 }),
    reply(query, "198.51.100.2", { name: "b.test" }),
    Buffer.from("nonsense"),
    reply(query, "198.51.100.3"),
  ]);
  const upstream = await upstreamOf("127.9.9.3");
  expect(await upstream.ask("a.test", "A")).toMatchObject({ answers: [{ data: "198.51.100.3" }] });
});

test.runIf(isRoot)("who asks the same at the same time asks once", async () => {
  const asked = await startServer("127.9.9.4", (query) => [reply(query, "198.51.100.7")]);
  const upstream = await upstreamOf("127.9.9.4");
  const answers = await Promise.all(Array.from({ length: 500 }, () => upstream.ask("a.test", "A")));
  expect(answers.every((answer) => answer?.answers?.length === 1)).toBe(true);
  expect(asked).toEqual(["a.test"]);
});
