import path from "node:path";
import os from "node:os";
import { z } from "zod";
import { CodedError } from "@alcove/contract/errors";

const environmentSchema = z.object({
  ALCOVE_DATA: z.string().min(1).optional(),
  ALCOVE_PORT: z.coerce.number().int().min(0).max(65_535).default(7700),
  ALCOVE_HOST: z.string().min(1).default("127.0.0.1"),
  ALCOVE_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  ALCOVE_HOST_SOCKET: z.string().min(1).optional(),
  ALCOVE_WEB: z.string().min(1).optional(),
  ALCOVE_OPT: z.string().min(1).optional(),
  ALCOVE_NODE: z.string().min(1).optional(),
  ALCOVE_NPM_CLI: z.string().min(1).optional(),
  ALCOVE_POSTGRES_BIN: z.string().min(1).optional(),
  ALCOVE_VERSION: z.string().min(1).default("development"),
  ALCOVE_READY_FD: z.coerce.number().int().min(3).optional(),
  ALCOVE_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  ALCOVE_FREEZE_AFTER_MS: z.coerce.number().int().min(0).default(60_000),
  ALCOVE_STOP_AFTER_MS: z.coerce.number().int().min(0).default(1_800_000),
  ALCOVE_KEEP_SNAPSHOTS: z.coerce.number().int().min(0).max(10_000).default(20),
  ALCOVE_KEEP_DAYS: z.coerce.number().int().min(0).max(3_650).default(14),
  DATABASE_URL: z.string().min(1).optional(),
  ANTHROPIC_API_KEY: z.string().min(1).optional(),
  ANTHROPIC_BASE_URL: z.url().optional(),
  OPENAI_API_KEY: z.string().min(1).optional(),
  OPENAI_BASE_URL: z.url().optional(),
});

export type Config = ReturnType<typeof readConfig>;

function defaultDataDirectory(): string {
  return process.getuid?.() === 0 ? "/var/lib/alcove" : path.join(os.homedir(), ".alcove");
}

/** Settings of the control plane from environment variables; throws `bad_request` with the name of each wrong one. */
export function readConfig(environment: NodeJS.ProcessEnv) {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; ");
    throw new CodedError("bad_request", `A setting is wrong: ${issues}`, {
      hint: "Correct the environment variable and start again.",
    });
  }
  const env = parsed.data;
  const dataDirectory = path.resolve(env.ALCOVE_DATA ?? defaultDataDirectory());
  return {
    dataDirectory,
    runDirectory: path.join(dataDirectory, "run"),
    secretsDirectory: path.join(dataDirectory, "secrets"),
    optDirectory: env.ALCOVE_OPT ?? path.join(dataDirectory, "opt"),
    hostSocket: env.ALCOVE_HOST_SOCKET ?? path.join(dataDirectory, "run", "host.sock"),
    webDirectory: env.ALCOVE_WEB ?? null,
    listenHost: env.ALCOVE_HOST,
    listenPort: env.ALCOVE_PORT,
    publicUrl: env.ALCOVE_PUBLIC_URL ?? null,
    nodeBinary: env.ALCOVE_NODE ?? process.execPath,
    npmCli: env.ALCOVE_NPM_CLI ?? null,
    postgresBinaries: env.ALCOVE_POSTGRES_BIN ?? null,
    databaseUrl: env.DATABASE_URL ?? null,
    version: env.ALCOVE_VERSION,
    readyFd: env.ALCOVE_READY_FD ?? null,
    logLevel: env.ALCOVE_LOG_LEVEL,
    /** Of workspaces that say nothing themselves; 0 is never. */
    rest: {
      freezeAfterMs: env.ALCOVE_FREEZE_AFTER_MS === 0 ? null : env.ALCOVE_FREEZE_AFTER_MS,
      stopAfterMs: env.ALCOVE_STOP_AFTER_MS === 0 ? null : env.ALCOVE_STOP_AFTER_MS,
    },
    /** Of snapshots without a name. */
    retention: { last: env.ALCOVE_KEEP_SNAPSHOTS, days: env.ALCOVE_KEEP_DAYS },
    proxy: outgoingProxy(given),
    environmentProviders: [
      ...(env.ANTHROPIC_API_KEY
        ? [
            {
              name: "anthropic",
              kind: "anthropic" as const,
              key: env.ANTHROPIC_API_KEY,
              baseUrl: env.ANTHROPIC_BASE_URL ?? null,
            },
          ]
        : []),
      ...(env.OPENAI_API_KEY
        ? [{ name: "openai", kind: "openai" as const, key: env.OPENAI_API_KEY, baseUrl: env.OPENAI_BASE_URL ?? null }]
        : []),
    ],
  };
}

/** The proxy for calls that leave this machine, as the usual variables give it in either case; a model server on the machine itself is always called directly. */
function outgoingProxy(environment: NodeJS.ProcessEnv) {
  const read = (name: string) => environment[name.toLowerCase()] ?? environment[name];
  const exceptions = [read("NO_PROXY"), "localhost", "127.0.0.1", "::1"];
  return {
    HTTP_PROXY: read("HTTP_PROXY"),
    HTTPS_PROXY: read("HTTPS_PROXY"),
    NO_PROXY: exceptions.filter((name) => name !== undefined).join(","),
  };
}
