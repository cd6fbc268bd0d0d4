import http from "node:http";
import type { Duplex } from "node:stream";
import { Readable } from "node:stream";
import { callbackify } from "node:util";
import type { z } from "zod";
import { CodedError, isErrorCode } from "@alcove/contract/errors";
import { boxErrorSchema, epochHeader } from "@alcove/contract/box/health";
import { formatRawRequest, parseRawAnswer, rawLineLimit, type RawRequest } from "@alcove/contract/box/raw";
import { traceparent } from "../log/log.ts";

export interface BoxRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer | Readable | null;
  readonly signal: AbortSignal;
  /** True for what is only looked at: it does not count as use of the box. */
  readonly quiet?: boolean;
}

/** Speaks to the daemon of one box, over connections that are kept for the next request. Whatever fails on the way is `workspace_unreachable`. */
export interface BoxClient {
  readonly epoch: number;
  /** The answer as it is, whatever its status; its body must be read or destroyed. */
  send(request: BoxRequest): Promise<http.IncomingMessage>;
  /** The answer when it is a success, else the daemon's coded error. */
  request(request: BoxRequest): Promise<http.IncomingMessage>;
  json<T extends z.ZodType>(schema: T, request: BoxRequest): Promise<z.output<T>>;
  /** The lines of an NDJSON answer; ends when the daemon ends it cleanly, throws when the line breaks. */
  lines<T extends z.ZodType>(schema: T, request: BoxRequest): AsyncGenerator<z.output<T>>;
  /** A stream of bytes of the raw protocol. */
  raw(request: RawRequest, signal: AbortSignal): Promise<Duplex>;
  /** A connection to the daemon on which nothing was said yet. */
  connect(signal: AbortSignal): Promise<Duplex>;
  /** Wakes the box where that has not begun, and resolves when it is wholly awake, or throws why it is not. */
  wake(): Promise<void>;
  /**
   * A client that wakes the box with its first question and gives answers when it is wholly awake, or why it is not. The question is on its way before: a kernel that thaws
   * takes as long as the answer.
   */
  during(awakening: () => Promise<unknown>): BoxClient;
  /** Lets connections go that nobody uses, and the others as soon as they are not used. */
  close(): void;
}

/** The longest line of an NDJSON answer, in bytes: a hostile daemon must not fill our memory. */
const lineLimit = 16 * 2 ** 20;
const jsonLimit = 16 * 2 ** 20;
/** Characters or bytes that surely have room in a socket. */
const shortBody = 16_384;
/** Connections that are kept to one box while nobody uses them. */
const keptConnections = 2;

export function createBoxClient({
  epoch,
  dial,
  hold,
}: {
  epoch: number;
  dial: (signal: AbortSignal) => Promise<Duplex>;
  /** Called for each request; what it gives, when the answer is over. */
  hold: () => () => void;
}): BoxClient {
  const closed = new AbortController();
  const agent = new http.Agent({ keepAlive: true, maxFreeSockets: keptConnections });
  const open = callbackify(async () => {
    const socket = await dial(closed.signal);
    // A daemon that ends takes its kept connections with it.
    socket.allowHalfOpen = false;
    return socket;
  });
  agent.createConnection = (_, done) => {
    if (done) open(done);
    return undefined;
  };

  return clientAfter(() => Promise.resolve());

  function clientAfter(awakening: () => Promise<unknown>): BoxClient {
    let awake: Promise<void> | undefined;
    const wake = (): Promise<void> => {
      if (awake !== undefined) return awake;
      awake = awakening().then(() => undefined);
      // Who asks is told.
      awake.catch(() => undefined);
      return awake;
    };

    const connect = async (signal: AbortSignal) => {
      try {
        const socket = await dial(signal);
        wake().catch((error: unknown) => socket.destroy(error instanceof Error ? error : undefined));
        return socket;
      } catch (error) {
        throw unreachable(error, signal);
      }
    };

    const send: BoxClient["send"] = (options) =>
      new Promise((resolve, reject) => {
        const { method = "GET", path, headers, body, signal, quiet = false } = options;
        const request = http.request({
          agent,
          host: "box",
          method,
          path,
          headers: { ...headers, [epochHeader]: String(epoch), traceparent: traceparent() },
          signal,
        });
        let answered = false;
        const fail = (error: unknown) => {
          request.destroy();
          // A daemon may end while its connection is kept. What only reads is asked once more, of the one that comes after it.
          if (!answered && request.reusedSocket && isSafe(method) && isBroken(error) && !signal.aborted)
            resolve(send(options));
          else reject(unreachable(error, signal));
        };
        if (!quiet) request.once("close", hold());
        request.on("error", fail);
        request.on("response", (response) => {
          answered = true;
          void wake().then(() => resolve(response), fail);
        });
        // More than this may not leave before somebody reads it.
        if (isShort(body)) request.once("finish", () => void wake().catch(fail));
        else wake().catch(fail);
        if (body instanceof Readable) {
          body.on("error", fail);
          body.pipe(request);
        } else {
          request.end(body ?? undefined);
        }
      });

    const request: BoxClient["request"] = async (options) => {
      const response = await send(options);
      if (response.statusCode !== undefined && response.statusCode < 400) return response;
      throw await errorFrom(response);
    };

    return {
      epoch,
      wake,
      during: clientAfter,
      connect,
      send,
      request,
      close() {
        closed.abort();
        agent.maxFreeSockets = 0;
        for (const kept of Object.values(agent.freeSockets)) for (const socket of kept ?? []) socket.destroy();
      },
      async json(schema, options) {
        const response = await request(options);
        return schema.parse(JSON.parse(await readText(response)));
      },
      async *lines(schema, options) {
        const response = await request(options);
        try {
          for await (const line of linesOf(response)) yield schema.parse(JSON.parse(line));
        } catch (error) {
          throw error instanceof SyntaxError ? error : unreachable(error, options.signal);
        } finally {
          response.destroy();
        }
      },
      async raw(rawRequest, signal) {
        const socket = await connect(signal);
        socket.write(formatRawRequest(rawRequest));
        const answer = parseRawAnswer(await firstLine(socket, signal));
        if (answer?.ok) return socket;
        socket.destroy();
        throw answer && isErrorCode(answer.code)
          ? new CodedError(answer.code, answer.detail)
          : new CodedError("workspace_unreachable", "The workspace gave an answer that is not of the protocol.");
      },
    };
  }
}

const isShort = (body: BoxRequest["body"]) => !body || (!(body instanceof Readable) && body.length <= shortBody);

const isSafe = (method: string) => method === "GET" || method === "HEAD";

const isBroken = (error: unknown) =>
  error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");

function unreachable(error: unknown, signal: AbortSignal): Error {
  if (signal.aborted)
    return signal.reason instanceof Error ? signal.reason : new Error("aborted", { cause: signal.reason });
  if (error instanceof CodedError) return error;
  return new CodedError("workspace_unreachable", undefined, { cause: error });
}

async function errorFrom(response: http.IncomingMessage): Promise<CodedError> {
  const text = await readText(response);
  try {
    const parsed = boxErrorSchema.safeParse(JSON.parse(text));
    if (parsed.success && isErrorCode(parsed.data.code)) return new CodedError(parsed.data.code, parsed.data.detail);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return new CodedError("workspace_unreachable", `The workspace answered with status ${response.statusCode ?? 0}.`);
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > jsonLimit) throw new CodedError("workspace_unreachable", "The workspace's answer is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Lines without their line feed; a last line without one is a torn one and is dropped. */
export async function* linesOf(stream: Readable | Duplex): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...rest, chunk.subarray(from, at)]).toString("utf8");
      rest = [];
      size = 0;
      from = at + 1;
      if (line !== "") yield line;
    }
    const tail = chunk.subarray(from);
    size += tail.length;
    if (size > lineLimit)
      throw new CodedError("workspace_unreachable", "A line of the workspace's answer is too long.");
    if (tail.length > 0) rest.push(tail);
  }
}

/** Reads the first line of a stream and puts back what follows it. */
export function firstLine(stream: Duplex, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const settle = (finish: () => void) => {
      stream.off("readable", read);
      stream.off("error", fail);
      stream.off("close", closed);
      signal.removeEventListener("abort", aborted);
      finish();
    };
    const fail = (error: unknown) =>
      settle(() => {
        stream.destroy();
        reject(unreachable(error, signal));
      });
    const closed = () => fail(new Error("the line was closed"));
    const aborted = () => fail(signal.reason);
    const read = () => {
      for (let chunk: unknown = stream.read(); Buffer.isBuffer(chunk); chunk = stream.read()) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf(10);
        if (end >= 0) {
          const line = head.subarray(0, end).toString("utf8");
          const rest = head.subarray(end + 1);
          settle(() => {
            if (rest.length > 0) stream.unshift(rest);
            resolve(line);
          });
          return;
        }
        if (head.length > rawLineLimit) return fail(new Error("the first line is too long"));
      }
    };
    stream.on("readable", read);
    stream.on("error", fail);
    stream.on("close", closed);
    signal.addEventListener("abort", aborted);
    if (signal.aborted) aborted();
    else read();
  });
}
