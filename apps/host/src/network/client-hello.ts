/** What the first bytes of a connection say; `more` when they do not say it yet. */
export type Opening =
  | { kind: "more" }
  | { kind: "named"; host: string }
  /** A protocol, or a use of it, that names no host. */
  | { kind: "nameless" }
  /** Not what it pretends to be. */
  | { kind: "broken" };

const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const hostNameType = 0;
/** Post-quantum keys make some 2 KB of it; the largest are sent with resumption tickets. */
const largestHello = 65_536;
const largestRecord = 16_384 + 256;

/**
 * Reads the server name of a TLS client's first message (RFC 8446, 4.1.2; RFC 6066, 3), which may come in several records. With an encrypted client hello this is the
 * outer name: the one of the server that the connection goes to.
 */
export function readClientHello(bytes: Buffer): Opening {
  const parts: Buffer[] = [];
  for (let offset = 0; offset + 5 <= bytes.length;) {
    const length = bytes.readUInt16BE(offset + 3);
    if (bytes[offset] !== handshakeRecord || bytes[offset + 1] !== 3 || length === 0 || length > largestRecord)
      return { kind: "broken" };
    parts.push(bytes.subarray(offset + 5, offset + 5 + length));
    offset += 5 + length;
  }
  const message = Buffer.concat(parts);
  if (message.length < 4) return { kind: "more" };
  const length = message.readUIntBE(1, 3);
  if (message[0] !== clientHello || length > largestHello) return { kind: "broken" };
  return message.length < 4 + length ? { kind: "more" } : readServerName(message.subarray(4, 4 + length));
}

function readServerName(hello: Buffer): Opening {
  try {
    // Version and random; then session id, cipher suites and compression methods, each behind its length.
    let at = 34;
    at += 1 + hello.readUInt8(at);
    at += 2 + hello.readUInt16BE(at);
    at += 1 + hello.readUInt8(at);
    if (at === hello.length) return { kind: "nameless" };
    const end = at + 2 + hello.readUInt16BE(at);
    at += 2;
    if (end !== hello.length) return { kind: "broken" };
    while (at < end) {
      const type = hello.readUInt16BE(at);
      const length = hello.readUInt16BE(at + 2);
      at += 4;
      if (at + length > end) return { kind: "broken" };
      if (type === serverNameExtension) return readHostName(hello.subarray(at, at + length));
      at += length;
    }
    return { kind: "nameless" };
  } catch (error) {
    // A length that leads beyond the message's end.
    if (error instanceof RangeError) return { kind: "broken" };
    throw error;
  }
}

/** One name alone: what a server would make of a second one is not known. */
function readHostName(list: Buffer): Opening {
  const isOne = list.readUInt16BE(0) === list.length - 2 && list.readUInt16BE(3) === list.length - 5;
  if (!isOne || list.readUInt8(2) !== hostNameType) return { kind: "broken" };
  return { kind: "named", host: list.toString("latin1", 5) };
}
