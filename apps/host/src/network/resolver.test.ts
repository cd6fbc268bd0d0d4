import type { Network } from "@alcove/contract/api/network";
import { type Answer, decode, encode, type Packet, type Question, type RecordType } from "dns-packet";
import { expect, test } from "vitest";
import { createKnownNames } from "./known-names.ts";
import { createResolver } from "./resolver.ts";

const list: Network = { mode: "allow-list", allow: ["a.test"] };

function resolverOf(network: Network, records: Answer[] = [], answersAfter: Promise<void> = Promise.resolve()) {
  const asked: string[] = [];
  const denied: unknown[] = [];
  const known = createKnownNames();
  const box = {
    network,
    known,
    deny: (host: string, port: number | null, canAllow: boolean) => denied.push([host, port, canAllow]),
  };
  const upstream = {
    async ask(name: string, type: RecordType): Promise<Packet> {
      asked.push(`${type} ${name}`);
      await answersAfter;
      return { type: "response", answers: records };
    },
  };
  const resolver = createResolver(box, upstream);
  const ask = async (question: Question, overTcp = false) => {
    const wire = encode({ type: "query", id: 9, questions: [question] });
    const answer = await resolver.answer(wire, overTcp);
    return answer === null ? null : decode(answer);
  };
  return { resolver, ask, asked, denied, known };
}
const codeOf = (packet: Packet | null) => (packet?.flags ?? 0) & 0xf;
const a = (name: string, data: string): Answer => ({ name, type: "A", class: "IN", ttl: 60, data });

test("the answer bears the question as it was asked, and the box learns which name led to which address", async () => {
  const { ask, known } = resolverOf(list, [a("a.test", "198.51.100.7")]);
  const answer = await ask({ name: "A.Test", type: "A" });
  expect(answer).toMatchObject({ id: 9, questions: [{ name: "A.Test" }], answers: [{ data: "198.51.100.7" }] });
  expect(known.of("198.51.100.7")).toEqual(["a.test"]);
});

test("a name that hides another behind odd bytes is never asked for", async () => {
  const { ask, asked } = resolverOf({ mode: "open", allow: [] });
  for (const name of ["a\0.test", "a test", "ä.test", "a/b.test"])
    expect([name, codeOf(await ask({ name, type: "A" }))]).toEqual([name, 3]);
  expect(asked).toEqual([]);
});

test("records that lead past the policy are not given out: HTTPS in any mode, zone transfers, all but addresses under an allow-list", async () => {
  const openNetwork = resolverOf({ mode: "open", allow: [] });
  const https = Buffer.from(encode({ type: "query", id: 9, questions: [{ name: "a.test", type: "A" }] }));
  https.writeUInt16BE(65, https.length - 4);
  const answer = await openNetwork.resolver.answer(https, false);
  expect(answer === null ? null : decode(answer)).toMatchObject({ answers: [] });
  expect(codeOf(await openNetwork.ask({ name: "a.test", type: "AXFR" }))).toBe(5);
  expect(openNetwork.asked).toEqual([]);
  const limited = resolverOf(list);
  expect(codeOf(await limited.ask({ name: "a.test", type: "TXT" }))).toBe(0);
  expect(limited.asked).toEqual([]);
});

test("only denied names that an allow-list could hold are told, and only when addresses were asked for", async () => {
  const { ask, denied } = resolverOf({ mode: "none", allow: [] });
  await ask({ name: "b.test", type: "A" });
  await ask({ name: "_http._tcp.b.test", type: "SRV" });
  await ask({ name: "1.0.0.127.in-addr.arpa", type: "PTR" });
  expect(denied).toEqual([["b.test", null, true]]);
});

test("silence answers an answer, and an error what is no question", async () => {
  const { resolver } = resolverOf(list);
  const answer = encode({ type: "response", id: 9, questions: [{ name: "a.test", type: "A" }] });
  expect(await resolver.answer(answer, false)).toBeNull();
  expect(await resolver.answer(Buffer.from("short"), false)).toBeNull();
  for (const wire of [Buffer.alloc(12), Buffer.alloc(40, 1)]) {
    const reply = await resolver.answer(wire, false);
    expect(codeOf(reply === null ? null : decode(reply))).toBe(1);
  }
  const two = encode({
    type: "query",
    id: 9,
    questions: [
      { name: "a.test", type: "A" },
      { name: "b.test", type: "A" },
    ],
  });
  const reply = await resolver.answer(two, false);
  expect(codeOf(reply === null ? null : decode(reply))).toBe(1);
});

test("an answer too large for UDP says so, and comes whole by TCP", async () => {
  const many = Array.from({ length: 100 }, (_, index) => a("a.test", `198.51.100.${index}`));
  const { ask } = resolverOf(list, many);
  const short = await ask({ name: "a.test", type: "A" });
  expect([short?.flag_tc, short?.answers]).toEqual([true, []]);
  expect((await ask({ name: "a.test", type: "A" }, true))?.answers).toHaveLength(100);
});

test("more questions at a time than a box may have open fail at once", async () => {
  const gate = Promise.withResolvers<void>();
  const { ask, asked } = resolverOf(list, [], gate.promise);
  const waiting = Array.from({ length: 256 }, () => ask({ name: "a.test", type: "A" }));
  expect(codeOf(await ask({ name: "a.test", type: "A" }))).toBe(2);
  gate.resolve();
  await Promise.all(waiting);
  expect(asked).toHaveLength(256);
});
