import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { CodedError, toCodedError } from "@alcove/contract/errors";
import { imageBuildLineSchema } from "@alcove/contract/host";
import type { ImageRoot } from "../database/schema.ts";
import type { HostClient } from "../host/host-client.ts";
import type { Log } from "../log/log.ts";
import type { BuildContexts } from "./build-contexts.ts";

const deadlineMs = 30 * 60_000;
type Build = NonNullable<ImageRoot["build"]>;

export type BuildState =
  | { readonly state: "building"; readonly detail: string }
  | { readonly state: "ready"; readonly image: string }
  | { readonly state: "failed"; readonly error: CodedError }
  | { readonly state: "missing" };

/** Builds of images by the server's Docker, one for each context and Dockerfile at a time. What this replica does not know is built again, which Docker answers at once. */
export interface ImageBuilds {
  look(build: Build): BuildState;
  /** Begins unless it is on its way. */
  begin(build: Build): void;
  drain(): Promise<void>;
}

export function createImageBuilds(parts: {
  host: HostClient;
  contexts: BuildContexts;
  /** Keeps what an image that was built is called. */
  onBuilt: (build: Build, image: string) => Promise<void>;
  /** Ends all builds. */
  stopping: AbortSignal;
  log: Log;
}): ImageBuilds {
  const { host, contexts, onBuilt, stopping, log } = parts;
  const states = new Map<string, BuildState>();
  const working = new Set<Promise<void>>();

  const work = async (key: string, { context, dockerfile, args }: Build): Promise<string> => {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(deadlineMs)]);
    const input = { name: "own", context: key, dockerfile, buildArgs: args };
    const answer = await host.upload("image.build", input, await contexts.open(context), signal);
    for await (const text of createInterface({ input: answer })) {
      const line = imageBuildLineSchema.parse(JSON.parse(text));
      if (line.kind === "done") return line.image;
      if (line.kind === "failed") throw new CodedError(line.code, line.detail, { hint: line.hint });
      const words = line.text.trim().split("\n").at(-1) ?? "";
      if (words !== "") states.set(key, { state: "building", detail: `Being built: ${words.slice(0, 200)}` });
    }
    throw new CodedError("host_unreachable", "The line to the host process broke");
  };

  return {
    look: (build) => states.get(keyOf(build)) ?? { state: "missing" },
    begin(build) {
      const key = keyOf(build);
      if (states.get(key)?.state === "building") return;
      states.set(key, { state: "building", detail: "Being built" });
      const done = work(key, build)
        .then(async (image) => {
          await onBuilt(build, image);
          states.set(key, { state: "ready", image });
        })
        .catch((error: unknown) => {
          log.info({ err: error }, "an image was not built");
          states.set(key, { state: "failed", error: toCodedError(error) });
        })
        .finally(() => working.delete(done));
      working.add(done);
    },
    async drain() {
      await Promise.all(working);
    },
  };
}

/** Of all that makes another image. */
function keyOf({ context, dockerfile, args }: Build): string {
  return createHash("sha256")
    .update(JSON.stringify([context, dockerfile, args]))
    .digest("hex");
}
