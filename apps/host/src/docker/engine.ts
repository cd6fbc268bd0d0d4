import { CodedError, type ErrorCode } from "@alcove/contract/errors";
import type Docker from "dockerode";
import { existsSync } from "node:fs";
import { z } from "zod";

const defaultSockets = ["/run/docker.sock", "/var/run/docker.sock"];
const answerMs = 3_000;
/** An answer of Docker that takes longer is none: a busy machine needs seconds for a start. */
const patienceMs = 60_000;

export type EngineState =
  | { state: "off"; detail: string }
  | { state: "missing"; detail: string; remedy: string }
  /** `firstId` is what user 0 of a container is on the machine: 0 where Docker maps no ids. */
  | { state: "ready"; version: string; firstId: number };

/** The Docker of this machine. */
export interface Engine {
  /** Asked of Docker each time. */
  look(): Promise<EngineState>;
  /** What Docker is asked for. Codes: `runtime_unavailable` when it does not answer, or the given one with Docker's own words. */
  ask<T>(action: string, code: ErrorCode, work: (docker: Docker) => Promise<T>, timeoutMs?: number | null): Promise<T>;
}

/** The Docker at this address (`unix:///path` or a path); null looks for the usual socket, `none` is no Docker. Nothing is asked before it is needed. */
export function createEngine(address: string | null): Engine {
  const socket = (): string | null => {
    if (address === "none") return null;
    if (address !== null) return /^(?:unix:\/\/)?(\/.+)$/.exec(address)?.[1] ?? null;
    return defaultSockets.find((path) => existsSync(path)) ?? null;
  };
  const withoutSocket = (): Exclude<EngineState, { state: "ready" }> => {
    if (address === "none") return { state: "off", detail: "Docker is turned off for this server." };
    if (address === null)
      return {
        state: "missing",
        detail: "Docker is not installed or does not run.",
        remedy: "apt-get install -y docker.io",
      };
    return {
      state: "missing",
      detail: `${address} is not a unix socket: workspaces need the Docker of this machine.`,
      remedy: "unset DOCKER_HOST ALCOVE_DOCKER_HOST",
    };
  };

  const ask: Engine["ask"] = async (action, code, work, timeoutMs = patienceMs) => {
    const path = socket();
    if (path === null) throw new CodedError("runtime_unavailable", `Cannot ${action}: ${withoutSocket().detail}`);
    try {
      // Loaded when it is needed: three quarters of the host process's code, which its start does not wait for.
      const { default: Client } = await import("dockerode");
      return await withDeadline(work(new Client({ socketPath: path })), timeoutMs);
    } catch (cause) {
      throw codedFailure(action, code, cause);
    }
  };

  return {
    ask,
    async look() {
      if (socket() === null) return withoutSocket();
      try {
        const asked = await ask<unknown>("ask Docker", "runtime_unavailable", (docker) => docker.info(), answerMs);
        const info = infoSchema.parse(asked);
        const says = (option: string): boolean =>
          info.SecurityOptions?.some((entry) => entry.startsWith(`name=${option}`)) ?? false;
        // Its data lies in a folder that is named for the ids to which it maps those of root (docs.docker.com/engine/security/userns-remap).
        const mapped = says("userns") ? /\/([0-9]+)\.[0-9]+$/.exec(info.DockerRootDir)?.[1] : "0";
        if (says("rootless") || mapped === undefined)
          return {
            state: "missing",
            detail: "This Docker has no rights of root: it cannot reach the files of workspaces.",
            remedy: "apt-get install -y docker.io",
          };
        return { state: "ready", version: info.ServerVersion, firstId: Number(mapped) };
      } catch (error) {
        return {
          state: "missing",
          detail: error instanceof Error ? `${error.message}.` : "Docker does not answer.",
          remedy: "systemctl restart docker",
        };
      }
    },
  };
}

const infoSchema = z.object({
  ServerVersion: z.string(),
  DockerRootDir: z.string(),
  SecurityOptions: z.array(z.string()).nullish(),
});

class Silence extends Error {}

async function withDeadline<T>(work: Promise<T>, timeoutMs: number | null): Promise<T> {
  if (timeoutMs === null) return work;
  const timer = new AbortController();
  const late = new Promise<never>((_, reject) => {
    const timeout = setTimeout(() => reject(new Silence(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs);
    timer.signal.addEventListener("abort", () => clearTimeout(timeout));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}

/** Docker's own refusals have a status (docs.docker.com/reference/api/engine); everything else means that nobody was there to refuse. */
function codedFailure(action: string, code: ErrorCode, cause: unknown): unknown {
  if (cause instanceof CodedError) return cause;
  if (statusOf(cause) !== null) return new CodedError(code, `Cannot ${action}: ${wordsOf(cause)}`, { cause });
  if (cause instanceof Silence || (cause instanceof Error && "code" in cause && typeof cause.code === "string"))
    return new CodedError("runtime_unavailable", `Cannot ${action}: Docker does not answer (${cause.message})`, {
      hint: "Start Docker on the server, as with `systemctl restart docker`, and try again.",
      cause,
    });
  return cause;
}

/** The HTTP status of Docker's refusal; null for any other error. */
export function statusOf(error: unknown): number | null {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
    ? error.statusCode
    : null;
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const json: unknown = "json" in error ? error.json : undefined;
  const words = typeof json === "object" && json !== null && "message" in json ? String(json.message) : error.message;
  return words.trim().slice(-1_000);
}
