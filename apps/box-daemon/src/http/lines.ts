/**
 * A response of JSON lines from a generator: the next line is made when the reader has taken the last. The generator's signal is aborted, and the
 * generator returned, when the reader leaves.
 */
export function linesResponse(make: (signal: AbortSignal) => AsyncGenerator<string | Uint8Array, void>): Response {
  const left = new AbortController();
  const lines = make(left.signal);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await lines.next();
        if (next.done) controller.close();
        else controller.enqueue(typeof next.value === "string" ? encoder.encode(next.value) : next.value);
      },
      async cancel() {
        left.abort();
        await lines.return();
      },
    },
    { highWaterMark: 1 },
  );
  return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
}
