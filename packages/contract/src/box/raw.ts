/**
 * The raw protocol on the link to a box. The client writes one line `ALCOVE/1 <verb> …\n`, the daemon answers `OK\n` or `ERR <code> <sentence>\n`;
 * after `OK` bytes pass both ways. Any other first bytes are HTTP. This file is free of dependencies because the daemon loads it.
 */
export const rawPrefix = "ALCOVE/1 ";

/** The loopback port inside the box that reaches the model gateway through the link. */
export const gatewayPort = 4140;

/** The loopback port inside the box at which the host's proxy takes what an allow-list lets out. */
export const networkProxyPort = 4153;

/** Longest line of the raw protocol in bytes, the line feed included. */
export const rawLineLimit = 256;

/** Milliseconds between two `{"ping":true}` lines of an uplink. */
export const uplinkPingMs = 15_000;

/** Milliseconds that an in-box connection waits for its `STREAM`. */
export const streamWaitMs = 120_000;

/**
 * `tunnel`: to 127.0.0.1 or ::1 on the port in the box. `uplink`: the daemon then writes `UplinkLine`s; the newest uplink wins and older ones are
 * closed. `stream`: joined with the in-box connection that the uplink announced.
 */
export type RawRequest = { verb: "tunnel"; port: number } | { verb: "uplink" } | { verb: "stream"; stream: string };

/** One line of an uplink: a connection inside the box waits for its stream, or a sign of life. */
export type UplinkLine = { open: string } | { ping: true };

/** The request as its line, with the line feed. */
export function formatRawRequest(request: RawRequest): string {
  switch (request.verb) {
    case "tunnel":
      return `${rawPrefix}TUNNEL ${request.port}\n`;
    case "uplink":
      return `${rawPrefix}UPLINK\n`;
    case "stream":
      return `${rawPrefix}STREAM ${request.stream}\n`;
  }
}

/** The request in a line without its line feed; null when it is malformed. */
export function parseRawRequest(line: string): RawRequest | null {
  if (!line.startsWith(rawPrefix)) return null;
  const words = line.slice(rawPrefix.length).split(" ");
  const [verb, argument] = words;
  if (verb === "UPLINK" && words.length === 1) return { verb: "uplink" };
  if (words.length !== 2 || argument === undefined) return null;
  if (verb === "STREAM" && /^[0-9a-z]{1,40}$/.test(argument)) return { verb: "stream", stream: argument };
  if (verb === "TUNNEL" && /^[1-9][0-9]{0,4}$/.test(argument) && Number(argument) <= 65_535) {
    return { verb: "tunnel", port: Number(argument) };
  }
  return null;
}

/** The answer to a raw request. */
export type RawAnswer = { ok: true } | { ok: false; code: string; detail: string };

/** The answer in a line without its line feed; null when it is malformed. */
export function parseRawAnswer(line: string): RawAnswer | null {
  if (line === "OK") return { ok: true };
  const match = /^ERR ([a-z_]+) (.*)$/.exec(line);
  if (match?.[1] === undefined || match[2] === undefined) return null;
  return { ok: false, code: match[1], detail: match[2] };
}

/** The answer as its line, with the line feed. */
export function formatRawAnswer(answer: RawAnswer): string {
  return answer.ok ? "OK\n" : `ERR ${answer.code} ${answer.detail.replaceAll(/\s+/g, " ")}\n`;
}

/** The message in a line of an uplink without its line feed; null when it is malformed. */
export function parseUplinkLine(line: string): UplinkLine | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (typeof value !== "object" || value === null) return null;
  if ("open" in value && typeof value.open === "string" && /^[0-9a-z]{1,40}$/.test(value.open))
    return { open: value.open };
  return "ping" in value && value.ping === true ? { ping: true } : null;
}
