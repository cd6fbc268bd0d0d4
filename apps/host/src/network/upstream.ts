import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { connect, isIP, isIPv6 } from "node:net";
import type { Packet, RecordType } from "dns-packet";
import { decodePacket, isTruncated, takeMessages, withLength, writeQuestion } from "./dns-message.ts";

const attempts = 2;
const attemptMs = 1_500;
const longestMs = 5_000;
const port = 53;
/** Questions of all boxes together that may be open at a time. */
const mostOpen = 512;

/** Asks the host's own resolvers, as /etc/resolv.conf names them at the moment (resolv.conf(5)). */
export type Upstream = {
  /** The answer of the first resolver that gives one; null when none does within 5 s. Who asks the same at the same time gets the same answer. */
  ask(name: string, type: RecordType): Promise<Packet | null>;
};

export function createUpstream(file = "/etc/resolv.conf"): Upstream {
  const open = new Map<string, Promise<Packet | null>>();
  const askInTurn: Upstream["ask"] = async (name, type) => {
    const patience = AbortSignal.timeout(longestMs);
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      for (const server of nameServers(file)) {
        if (patience.aborted) return null;
        const within = AbortSignal.any([patience, AbortSignal.timeout(attemptMs)]);
        const answer = await askServer(server, name, type, within);
        if (answer !== null) return answer;
      }
    }
    return null;
  };
  return {
    ask(name, type) {
      const key = `${type} ${name}`;
      const asked = open.get(key);
      if (asked !== undefined) return asked;
      if (open.size >= mostOpen) return Promise.resolve(null);
      const asking = askInTurn(name, type).finally(() => open.delete(key));
      open.set(key, asking);
      return asking;
    },
  };
}

function nameServers(file: string): string[] {
  const lines = readResolvConf(file).matchAll(/^nameserver[ \t]+(\S+)/gm);
  const servers = [...lines].flatMap(([, server = ""]) => (isIP(server) === 0 ? [] : [server]));
  return servers.length === 0 ? ["127.0.0.1"] : servers.slice(0, 3);
}

function readResolvConf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // A machine without the file has its resolver on its loopback, says resolv.conf(5).
    return "";
  }
}

async function askServer(server: string, name: string, type: RecordType, signal: AbortSignal): Promise<Packet | null> {
  const id = randomInt(0x1_0000);
  const question = writeQuestion(id, name, type);
  const isAnswer = (wire: Buffer): Packet | null => {
    const packet = decodePacket(wire);
    const [asked] = packet?.questions ?? [];
    const fits = packet?.type === "response" && packet.id === id && asked?.type === type;
    return fits && asked.name.toLowerCase() === name ? packet : null;
  };
  const short = await exchangeByUdp(server, question, isAnswer, signal);
  return short !== null && isTruncated(short) ? exchangeByTcp(server, question, isAnswer, signal) : short;
}

type Reader = (wire: Buffer) => Packet | null;

/** A socket for each question: whoever wants to forge an answer must guess its port too. Connected, it hears of a port that is closed. */
function exchangeByUdp(server: string, question: Buffer, read: Reader, signal: AbortSignal): Promise<Packet | null> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server) ? "udp6" : "udp4");
    const finish = (packet: Packet | null): void => {
      signal.removeEventListener("abort", giveUp);
      socket.removeAllListeners();
      // What still comes is nobody's.
      socket.on("error", () => undefined);
      socket.close();
      resolve(packet);
    };
    const giveUp = (): void => finish(null);
    signal.addEventListener("abort", giveUp, { once: true });
    socket.on("error", giveUp);
    socket.on("message", (wire) => {
      const packet = read(wire);
      if (packet !== null) finish(packet);
    });
    socket.connect(port, server, () => socket.send(question));
  });
}

function exchangeByTcp(server: string, question: Buffer, read: Reader, signal: AbortSignal): Promise<Packet | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: server, port });
    let received: Buffer = Buffer.alloc(0);
    const finish = (packet: Packet | null): void => {
      signal.removeEventListener("abort", giveUp);
      socket.removeAllListeners();
      socket.on("error", () => undefined);
      socket.destroy();
      resolve(packet);
    };
    const giveUp = (): void => finish(null);
    signal.addEventListener("abort", giveUp, { once: true });
    socket.on("error", giveUp);
    socket.on("close", giveUp);
    socket.on("connect", () => socket.write(withLength(question)));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      const { messages } = takeMessages(received);
      if (messages[0] !== undefined) finish(read(messages[0]));
    });
  });
}
