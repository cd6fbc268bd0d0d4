import { isIP } from "node:net";
import { readClientHello, type Opening } from "./client-hello.ts";

const largestHead = 65_536;

/** The host that a connection is for, by its first bytes: the server name of TLS, or the host of an HTTP/1 request. */
export function readOpening(bytes: Buffer): Opening {
  if (bytes.length === 0) return { kind: "more" };
  const opening = bytes[0] === 22 ? readClientHello(bytes) : readRequestHost(bytes);
  if (opening.kind === "more" && bytes.length > largestHead) return { kind: "broken" };
  if (opening.kind !== "named") return opening;
  const host = opening.host.toLowerCase().replace(/\.$/, "");
  if (isIP(host) !== 0) return { kind: "nameless" };
  return /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/.test(host) ? { kind: "named", host } : { kind: "broken" };
}

/**
 * The host of the first request on a connection (RFC 9112, 3.2). Later ones are not looked at: whatever host they name, they go to the addresses of the first
 * one's, which are allowed.
 */
function readRequestHost(bytes: Buffer): Opening {
  const text = bytes.toString("latin1");
  if (!/^[A-Z]{1,20}(?: |$)/.test(text)) return { kind: "nameless" };
  const lineEnd = text.indexOf("\n");
  if (lineEnd < 0) return { kind: "more" };
  const [, target = ""] = /^[A-Z]+ (\S+) HTTP\/1\.[01]\r?$/.exec(text.slice(0, lineEnd)) ?? [];
  if (target === "") return { kind: "nameless" };
  const headEnd = /\r?\n\r?\n/.exec(text)?.index;
  if (headEnd === undefined) return { kind: "more" };
  const lines = text.slice(lineEnd + 1, headEnd).split(/\r?\n/);
  const fields = lines.flatMap((line) => /^host[ \t]*:[ \t]*(.*?)[ \t]*$/i.exec(line)?.[1] ?? []);
  // A proxy's form of request, and several hosts at once, let two readers see two different hosts.
  if (!target.startsWith("/") && target !== "*") return { kind: "broken" };
  if (new Set(fields).size > 1) return { kind: "broken" };
  const [field] = fields;
  if (field === undefined || field === "") return { kind: "nameless" };
  const bracketed = /^\[([0-9a-f:.]+)\](?::[0-9]*)?$/i.exec(field)?.[1];
  return { kind: "named", host: bracketed ?? field.replace(/:[0-9]*$/, "") };
}
