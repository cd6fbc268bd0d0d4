import { decode, encode, RECURSION_AVAILABLE, RECURSION_DESIRED } from "dns-packet";
import type { Answer, Packet, Question, RecordType } from "dns-packet";

/** DNS messages (RFC 1035) as far as the resolver of boxes needs them. */

export const resultCode = { fine: 0, malformed: 1, failed: 2, noSuchName: 3, refused: 5 };

/** A question as a box sent it; `name` is in lower case, null when it is none that a host could have. `largest` is in bytes, for an answer by UDP. */
export type Query = { id: number; name: string | null; type: RecordType; asked: Question[]; largest: number };

const responseBit = 0x8000;
const operationBits = 0x7800;
const truncatedBit = 0x0200;
/** What UDP carries without the extension of RFC 6891. */
const smallestLargest = 512;
/** What the resolver says that it takes, and the most that it sends by UDP. */
const ownLargest = 4_096;

/** The one question of a query; `malformed` with the id when it is not to be answered otherwise, null when silence is the right answer. */
export function readQuery(wire: Buffer): Query | { malformed: number } | null {
  // An answer is never answered.
  if (wire.length < 12 || (wire.readUInt16BE(2) & responseBit) !== 0) return null;
  const id = wire.readUInt16BE(0);
  const packet = decodePacket(wire);
  const [question, ...more] = packet?.questions ?? [];
  if (packet === null || question === undefined || more.length > 0) return { malformed: id };
  if ((wire.readUInt16BE(2) & operationBits) !== 0 || question.class !== "IN") return { malformed: id };
  const extension = packet.additionals?.find((record) => record.type === "OPT");
  const largest = extension === undefined ? smallestLargest : extension.udpPayloadSize;
  return {
    id,
    name: readName(question.name),
    type: question.type,
    asked: [question],
    largest: Math.min(Math.max(largest, smallestLargest), ownLargest),
  };
}

/** The message, or null when it is not one. */
export function decodePacket(wire: Buffer): Packet | null {
  try {
    return decode(wire);
  } catch {
    // The library throws on whatever it cannot read.
    return null;
  }
}

/** Letters, digits, hyphens and underscores only: nothing that a name could smuggle past a comparison. */
function readName(name: string): string | null {
  const plain = name.toLowerCase();
  return /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/.test(plain) && plain.length <= 253 ? plain : null;
}

/** A question of our own, with a random id that the answer must bear. */
export function writeQuestion(id: number, name: string, type: RecordType): Buffer {
  return encode({ type: "query", id, flags: RECURSION_DESIRED, questions: [{ name, type, class: "IN" }] });
}

/** The answer to a box's query; by UDP it is cut to what the box takes, which asks again by TCP then. */
export function writeAnswer(
  { id, asked, largest }: Pick<Query, "id" | "asked" | "largest">,
  code: number,
  records: { answers?: Answer[]; authorities?: Answer[] } = {},
  overTcp = false,
): Buffer {
  const head = { type: "response" as const, id, questions: asked };
  const flags = RECURSION_DESIRED | RECURSION_AVAILABLE | code;
  const whole = encode({ ...head, flags, ...records });
  return overTcp || whole.length <= largest ? whole : encode({ ...head, flags: flags | truncatedBit });
}

/** The result code of a message. */
export function resultOf({ flags = 0 }: Packet): number {
  return flags & 0xf;
}

export function isTruncated({ flags = 0 }: Packet): boolean {
  return (flags & truncatedBit) !== 0;
}

/** A message as TCP carries it, behind its length (RFC 1035, 4.2.2). */
export function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** The whole messages in what TCP brought so far, and what is left behind them. */
export function takeMessages(received: Buffer): { messages: Buffer[]; rest: Buffer } {
  const messages: Buffer[] = [];
  let rest = received;
  while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
    const end = 2 + rest.readUInt16BE(0);
    messages.push(rest.subarray(2, end));
    rest = rest.subarray(end);
  }
  return { messages, rest };
}
