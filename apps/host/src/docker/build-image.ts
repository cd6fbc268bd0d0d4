import { CodedError, toCodedError } from "@alcove/contract/errors";
import type { HostRequest, ImageBuildLine } from "@alcove/contract/host";
import { createInterface } from "node:readline";
import { PassThrough, type Readable } from "node:stream";
import { z } from "zod";
import { statusOf, type Engine } from "./engine.ts";

const longestTail = 2_000;
const longestText = 8_192;

/** A line of what Docker says of a build (Docker Engine API, `/build`). */
const buildLineSchema = z.object({
  stream: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
  aux: z.object({ ID: z.string().optional() }).optional(),
});

type Build = { engine: Engine; wish: HostRequest<"image.build">; body: Readable; signal: AbortSignal };

/**
 * Builds an image of the context in the body and tells how it goes; the build ends with the signal. The same name and context again is the image that is there. The
 * last line is `done`, or `failed` with `image_build_failed`, `runtime_unavailable` or `bad_request`.
 */
export async function* buildImage({ engine, wish, body, signal }: Build): AsyncGenerator<string, void, undefined> {
  const line = (value: ImageBuildLine): string => `${JSON.stringify(value)}\n`;
  const tag = `alcove-template:${wish.name}-${wish.context.slice(0, 16)}`;
  let tail = "";
  try {
    if (await isThere(engine, tag)) {
      body.resume();
      yield line({ kind: "done", image: tag });
      return;
    }
    const answer = await begin({ engine, wish, body, signal }, tag);
    const end = (): void => void answer.destroy();
    signal.addEventListener("abort", end, { once: true });
    try {
      for await (const text of createInterface({ input: answer })) {
        const said = buildLineSchema.safeParse(parseJson(text)).data;
        if (said?.error !== undefined) throw failure(`${tail}\n${said.error}`);
        const words = (said?.stream ?? said?.status ?? "").slice(0, longestText);
        tail = (tail + words).slice(-longestTail);
        if (words.trim() !== "") yield line({ kind: "progress", text: words });
      }
    } finally {
      signal.removeEventListener("abort", end);
      answer.destroy();
    }
    signal.throwIfAborted();
    if (!(await isThere(engine, tag))) throw failure(tail);
    yield line({ kind: "done", image: tag });
  } catch (error) {
    if (signal.aborted) return;
    const { code, message, hint } = toCodedError(error);
    yield line({ kind: "failed", code, detail: message, hint });
  }
}

/** `networkmode: none` would keep `RUN apt-get` from working: a build has the machine's network, as `docker build` has. */
async function begin({ engine, wish, body, signal }: Build, tag: string): Promise<Readable> {
  const options = {
    t: tag,
    dockerfile: wish.dockerfile,
    buildargs: wish.buildArgs,
    rm: true,
    forcerm: true,
    abortSignal: signal,
  };
  const build = (docker: Parameters<Parameters<Engine["ask"]>[2]>[0]) => docker.buildImage(body, options);
  const answer = await engine.ask("build the image", "image_build_failed", build, null);
  return answer.pipe(new PassThrough());
}

function isThere(engine: Engine, tag: string): Promise<boolean> {
  return engine.ask("look for the image", "internal", (docker) =>
    docker
      .getImage(tag)
      .inspect()
      .then(
        () => true,
        (error: unknown) => {
          if (statusOf(error) === 404) return false;
          throw error;
        },
      ),
  );
}

function failure(words: string): CodedError {
  return new CodedError("image_build_failed", `Cannot build the image: ${words.trim().slice(-longestTail)}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
