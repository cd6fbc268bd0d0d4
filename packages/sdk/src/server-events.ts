import { createParser } from "eventsource-parser";

export interface ServerEvent {
  id: string | null;
  kind: string;
  data: string;
}

/**
 * Server-sent events of a response body, until it ends. Throws a TypeError when nothing, not even a comment, has arrived for `silenceMs`:
 * a line that died without a word looks exactly like that.
 */
export async function* readServerEvents(
  body: ReadableStream<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<ServerEvent, void, undefined> {
  const ready: ServerEvent[] = [];
  const parser = createParser({
    onEvent: (event) => ready.push({ id: event.id ?? null, kind: event.event ?? "message", data: event.data }),
  });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const chunk = await withinSilence(reader.read(), silenceMs);
      if (chunk.done) return;
      parser.feed(decoder.decode(chunk.value, { stream: true }));
      yield* ready.splice(0);
    }
  } finally {
    // A reader whose stream already failed rejects here with the error that the loop has thrown.
    await reader.cancel().catch(() => undefined);
  }
}

async function withinSilence<T>(next: Promise<T>, silenceMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TypeError(`The stream was silent for ${silenceMs} ms`)), silenceMs);
  });
  try {
    return await Promise.race([next, silence]);
  } finally {
    clearTimeout(timer);
  }
}
