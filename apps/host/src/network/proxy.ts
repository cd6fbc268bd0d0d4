import { allowsHost, isHostName } from "@alcove/contract/api/network";
import { connect, type Socket } from "node:net";
import { hostAddresses, isClosedAddress } from "./closed-addresses.ts";
import { originalDestination } from "./original-destination.ts";
import { readBeginning, type Begun } from "./read-opening.ts";
import { resultCode, resultOf } from "./dns-message.ts";
import type { BoxPolicy } from "./resolver.ts";
import type { Upstream } from "./upstream.ts";

/** Connections of one box at a time, and of all. Each takes two descriptors of the host process, and up to 1 MB while one end does not read. */
const mostOfBox = 128;
const mostOfAll = 2_000;
/** How long a client may wait for the server to speak first: at an address whose name is known, and at another. */
const silenceMs = { known: 300, unknown: 1_500 };
const connectMs = 10_000;
/** How long a connection may stand still, in ms: while bytes wait that its other end does not take, and at all. */
const quietMs = { stuck: 120_000, idle: 3_600_000 };

type Passing = { host: string; client: Socket; server: Socket | null; moved: number; quietSince: number };
type Destination = { address: string; port: number };

export type Proxy = ReturnType<typeof createProxy>;

let passingInAll = 0;

/**
 * The way of a box's TCP connections while an allow-list holds. A connection is for the host that it names itself (TLS, HTTP), or for one that the resolver gave the box
 * that address for, and goes to an address of that host as the host's own resolvers tell it, never to one that the box made up. What comes later on the
 * connection, another Host on a kept HTTP connection or within TLS, reaches the servers of the allowed host and nobody else.
 */
export function createProxy(box: BoxPolicy, upstream: Upstream) {
  const passing = new Set<Passing>();
  const ended = { inBytes: 0, outBytes: 0 };

  /** The allowed host that a connection is for; undefined when it is for none, which is told. */
  const judge = (begun: Begun, { address, port }: Destination): string | undefined => {
    const names = begun.kind === "named" ? [begun.host] : box.known.of(address);
    const allowed = begun.kind === "broken" ? undefined : names.find((name) => allowsHost(box.network, name));
    const wanted = names[0] ?? address;
    if (allowed === undefined) box.deny(wanted, port, isHostName(wanted) && !allowsHost(box.network, wanted));
    return allowed;
  };

  const addressOf = async (host: string, { address, port }: Destination): Promise<string | null> => {
    if (box.known.has(address, host)) return address;
    const answer = await upstream.ask(host, "A");
    if (answer === null || resultOf(answer) !== resultCode.fine) return null;
    const addresses = (answer.answers ?? []).flatMap((record) => (record.type === "A" ? [record.data] : []));
    const own = hostAddresses();
    const open = addresses.find((candidate) => !isClosedAddress(candidate, own));
    if (open === undefined && addresses.length > 0) box.deny(host, port, false);
    return open ?? null;
  };

  const serve = async (one: Passing): Promise<void> => {
    const { client } = one;
    const destination = originalDestination(client);
    if (
      destination === null ||
      box.network.mode !== "allow-list" ||
      isClosedAddress(destination.address, hostAddresses())
    )
      return void client.resetAndDestroy();
    const isKnown = box.known.of(destination.address).length > 0;
    const begun = await readBeginning(client, isKnown ? silenceMs.known : silenceMs.unknown);
    if (begun.kind === "ended") return void client.destroy();
    const host = judge(begun, destination);
    if (host === undefined || begun.kind === "broken") return void client.resetAndDestroy();
    one.host = host;
    const address = await addressOf(host, destination);
    if (address === null || client.destroyed) return void client.resetAndDestroy();
    const server = connect({ host: address, port: destination.port, allowHalfOpen: true });
    one.server = server;
    tieTogether(client, server);
    server.pipe(client);
    if (begun.kind !== "silent") {
      server.write(begun.head);
      return void client.pipe(server);
    }
    // The server speaks first; what the client says then is looked at all the same before it goes on.
    const answered = await readBeginning(client);
    if (answered.kind === "ended") return void server.end();
    const isRefused = answered.kind === "silent" || judge(answered, destination) === undefined;
    if (isRefused || answered.kind === "broken") return void client.resetAndDestroy();
    server.write(answered.head);
    client.pipe(server);
  };

  const count = ({ client, server }: Passing): { inBytes: number; outBytes: number } => ({
    inBytes: server?.bytesRead ?? 0,
    outBytes: server === null ? 0 : client.bytesRead,
  });

  return {
    /** Takes a connection of the box. */
    accept(client: Socket): void {
      client.on("error", () => client.destroy());
      if (passing.size >= mostOfBox || passingInAll >= mostOfAll) return void client.resetAndDestroy();
      const one: Passing = { host: "", client, server: null, moved: 0, quietSince: Date.now() };
      passing.add(one);
      passingInAll += 1;
      client.on("close", () => {
        passing.delete(one);
        passingInAll -= 1;
        const { inBytes, outBytes } = count(one);
        ended.inBytes += inBytes;
        ended.outBytes += outBytes;
      });
      serve(one).catch(() => client.destroy());
    },
    /** Ends the connections that what holds now does not allow. */
    reconsider(): void {
      for (const { host, client } of passing)
        if (host !== "" && (box.network.mode !== "allow-list" || !allowsHost(box.network, host)))
          client.resetAndDestroy();
    },
    /** Ends connections that have stood still for too long; asked for every few seconds. */
    endQuiet(): void {
      const now = Date.now();
      for (const one of passing) {
        const { client, server } = one;
        const moved = client.bytesRead + (server?.bytesRead ?? 0);
        if (moved !== one.moved) Object.assign(one, { moved, quietSince: now });
        const isStuck = client.writableLength + (server?.writableLength ?? 0) > 0;
        if (now - one.quietSince > (isStuck ? quietMs.stuck : quietMs.idle)) client.resetAndDestroy();
      }
    },
    /** Bytes that came in and went out by all connections so far. */
    traffic(): { inBytes: number; outBytes: number } {
      const sum = { ...ended };
      for (const one of passing) {
        const { inBytes, outBytes } = count(one);
        sum.inBytes += inBytes;
        sum.outBytes += outBytes;
      }
      return sum;
    },
    endAll(): void {
      for (const { client } of passing) client.resetAndDestroy();
    },
  };
}

/** Neither end outlives the other's failure. */
function tieTogether(client: Socket, server: Socket): void {
  const unanswered = setTimeout(() => client.resetAndDestroy(), connectMs);
  server.on("connect", () => clearTimeout(unanswered));
  server.on("error", () => client.resetAndDestroy());
  server.on("close", (hadError) => (hadError ? client.resetAndDestroy() : client.destroySoon()));
  client.on("close", () => {
    clearTimeout(unanswered);
    server.destroy();
  });
}
