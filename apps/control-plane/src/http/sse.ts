export interface SseMessage {
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

const heartbeatMs = 15_000;
const encoder = new TextEncoder();

/**
 * A stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) with a comment every 15 s, so that a line
 * that died is noticed. `produce` pushes until its signal aborts or it is done; a reader that is slow makes `push` wait.
 */
export function sseResponse(
  signal: AbortSignal,
  produce: (push: (message: SseMessage) => Promise<void>, signal: AbortSignal) => Promise<void>,
): Response {
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const stream = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, { highWaterMark: 64 });
  const writer = stream.writable.getWriter();
  const write = async (text: string) => {
    await writer.ready;
    await writer.write(encoder.encode(text));
  };
  const work = async () => {
    const heartbeat = setInterval(() => {
      write(": alive\n\n").catch(() => ended.abort());
    }, heartbeatMs);
    try {
      await write("retry: 1000\n\n");
      await produce(async ({ id, event, data }) => {
        await write(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      }, both);
      await writer.close();
    } finally {
      clearInterval(heartbeat);
      ended.abort();
    }
  };
  work().catch((error: unknown) => writer.abort(error).catch(() => ended.abort()));
  return new Response(stream.readable, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
}
