import { CodedError } from "@alcove/contract/errors";
import {
  hostFailureSchema,
  hostOperations,
  inputHeader,
  type HostAnswer,
  type HostInput,
  type HostOperation,
} from "@alcove/contract/host";
import { Agent, request, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { traceparent } from "../log/log.ts";

export interface HostClient {
  /** One operation of the host process. Codes: `host_unreachable`, or the operation's own. */
  call<O extends HostOperation>(operation: O, input: HostInput<O>, signal: AbortSignal): Promise<HostAnswer<O>>;
  /** An operation that answers with raw bytes; the caller reads or destroys the stream. */
  stream<O extends HostOperation>(operation: O, input: HostInput<O>, signal: AbortSignal): Promise<IncomingMessage>;
  /** An operation that takes raw bytes and answers with raw bytes. */
  upload<O extends HostOperation>(
    operation: O,
    input: HostInput<O>,
    body: Readable,
    signal: AbortSignal,
  ): Promise<IncomingMessage>;
}

/** What is not used for so long is closed, in milliseconds. */
const keptMs = 60_000;

/** A client of the host process at its unix socket. */
export function createHostClient({ hostSocket }: { hostSocket: string }): HostClient {
  const kept = new Agent({ keepAlive: true, maxFreeSockets: 2, timeout: keptMs });

  const send = (
    operation: HostOperation,
    headers: OutgoingHttpHeaders,
    body: Buffer | Readable,
    signal: AbortSignal,
    agent: Agent | false = false,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject): void => {
      let answered = false;
      const outgoing = request(
        {
          socketPath: hostSocket,
          path: `/v1/${operation}`,
          method: "POST",
          headers: { host: "host", traceparent: traceparent(), ...headers },
          agent,
          signal,
        },
        (answer) => {
          answered = true;
          resolve(answer);
        },
      );
      outgoing.on("error", (cause) => {
        // The host process ended while the connection was kept. Each operation may be repeated.
        if (!answered && outgoing.reusedSocket && !signal.aborted)
          return resolve(send(operation, headers, body, signal, agent));
        const silent = `Cannot ask the host process for "${operation}": it does not answer`;
        reject(signal.aborted ? cause : new CodedError("host_unreachable", silent, { cause }));
      });
      if (Buffer.isBuffer(body)) return void outgoing.end(body);
      body.on("error", (error) => outgoing.destroy(error));
      body.pipe(outgoing);
    });

  const mustSucceed = async (operation: HostOperation, answer: IncomingMessage): Promise<IncomingMessage> => {
    if (answer.statusCode === 200) return answer;
    const failure = hostFailureSchema.safeParse(parseJson(await text(answer)));
    if (!failure.success)
      throw new CodedError(
        "host_unreachable",
        `Cannot use the host process: it answered ${answer.statusCode} to "${operation}"`,
      );
    throw new CodedError(failure.data.code, failure.data.detail, { hint: failure.data.hint });
  };

  const ask = async (
    operation: HostOperation,
    input: unknown,
    signal: AbortSignal,
    agent: Agent | false,
  ): Promise<IncomingMessage> => {
    const body = Buffer.from(JSON.stringify(input));
    const headers = { "content-type": "application/json", "content-length": body.length };
    return mustSucceed(operation, await send(operation, headers, body, signal, agent));
  };

  return {
    stream: (operation, input, signal) => ask(operation, input, signal, false),
    async upload(operation, input, body, signal) {
      const headers = { "content-type": "application/octet-stream", [inputHeader]: JSON.stringify(input) };
      return mustSucceed(operation, await send(operation, headers, body, signal));
    },
    async call<O extends HostOperation>(
      operation: O,
      input: HostInput<O>,
      signal: AbortSignal,
    ): Promise<HostAnswer<O>> {
      return hostOperations[operation].output.parse(parseJson(await text(await ask(operation, input, signal, kept))));
    },
  };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
