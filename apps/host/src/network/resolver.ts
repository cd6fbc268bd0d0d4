import { allowsHost, isHostName, type Network } from "@alcove/contract/api/network";
import type { Answer, Packet } from "dns-packet";
import { hostAddresses, isClosedAddress } from "./closed-addresses.ts";
import { readQuery, resultCode, resultOf, writeAnswer, type Query } from "./dns-message.ts";
import type { KnownNames } from "./known-names.ts";
import type { Upstream } from "./upstream.ts";

/** What resolver and proxy know of a box. */
export type BoxPolicy = {
  /** What holds now; it may change while the box runs. */
  network: Network;
  known: KnownNames;
  /** Tells that the box asked for what it may not have. */
  deny(host: string, port: number | null, canAllow: boolean): void;
};

/** Questions of one box that may be open at a time. */
const mostOpen = 256;
const zoneTransfers = new Set(["AXFR", "IXFR"]);

export type Resolver = { answer(wire: Buffer, overTcp: boolean): Promise<Buffer | null> };

/**
 * The resolver of one box. It decides by name, asks the host's resolvers a question of its own wording, and never passes on an address that no box may reach.
 * A name that is not allowed does not exist (as a response policy zone would say): a refusal would make programs try again and again. Under an allow-list a
 * name leads to addresses and to nothing else, so that neither question nor answer carries other things out or in.
 */
export function createResolver(box: BoxPolicy, upstream: Upstream): Resolver {
  let open = 0;

  const resolve = async (query: Query, overTcp: boolean): Promise<Buffer> => {
    const reply = (code: number, records: { answers?: Answer[]; authorities?: Answer[] } = {}): Buffer =>
      writeAnswer(query, code, records, overTcp);
    const { name, type } = query;
    if (name === null) return reply(resultCode.noSuchName);
    if (zoneTransfers.has(type)) return reply(resultCode.refused);
    if (name === "localhost" || name.endsWith(".localhost"))
      return reply(resultCode.fine, { answers: loopback(query) });
    const isAddressQuestion = type === "A" || type === "AAAA";
    if (!allowsHost(box.network, name)) {
      if (isAddressQuestion && isHostName(name)) box.deny(name, null, true);
      return reply(resultCode.noSuchName);
    }
    // HTTPS records lead to addresses and to encrypted names past whoever filters addresses and reads names.
    const isOther = !isAddressQuestion && (box.network.mode === "allow-list" || /^UNKNOWN_6[45]$/.test(type));
    if (isOther) return reply(resultCode.fine);
    if (open >= mostOpen) return reply(resultCode.failed);
    open += 1;
    try {
      const answer = await upstream.ask(name, type);
      if (answer === null) return reply(resultCode.failed);
      return reply(resultOf(answer), permitted(answer, query, name));
    } finally {
      open -= 1;
    }
  };

  /** What of an answer a box may see. */
  const permitted = (packet: Packet, query: Query, name: string): { answers: Answer[]; authorities: Answer[] } => {
    const answers = packet.answers ?? [];
    const own = hostAddresses();
    const isClosed = (record: Answer): boolean =>
      (record.type === "A" || record.type === "AAAA") && isClosedAddress(record.data, own);
    if (answers.some(isClosed)) box.deny(name, null, false);
    const isShort = box.network.mode !== "open";
    const kept = answers.filter(
      (record) => !isClosed(record) && (!isShort || record.type === query.type || record.type === "CNAME"),
    );
    for (const record of kept) if (record.type === "A") box.known.add(record.data, name);
    const authorities = isShort ? [] : (packet.authorities ?? []).filter(({ type }) => type === "SOA");
    return { answers: kept, authorities };
  };

  return {
    /** The answer to one message; null where silence is the right one. Never takes longer than 5 s. */
    async answer(wire, overTcp) {
      const query = readQuery(wire);
      if (query === null) return null;
      if ("malformed" in query)
        return writeAnswer({ id: query.malformed, asked: [], largest: 512 }, resultCode.malformed);
      try {
        return await resolve(query, overTcp);
      } catch {
        // An answer that the library reads and cannot write again.
        return writeAnswer(query, resultCode.failed);
      }
    },
  };
}

function loopback({ name, type }: Query): Answer[] {
  if (name === null || (type !== "A" && type !== "AAAA")) return [];
  return [{ name, type, class: "IN", ttl: 60, data: type === "A" ? "127.0.0.1" : "::1" }];
}
