import { apiKey } from "@better-auth/api-key";
import { betterAuth, type BetterAuthOptions } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { magicLink } from "better-auth/plugins/magic-link";
import pg from "pg";
import { newId } from "@alcove/contract/ids";
import type { Log } from "../log/log.ts";

export const keyPrefix = "alc_";
const linkHours = 24;

/** better-auth, in a schema of its own. The only place that knows it is `identity/`. */
export async function createAuth({
  databaseUrl,
  baseUrl,
  secret,
  log,
  migrateUnderLock,
}: {
  databaseUrl: string;
  /** Where the page is found, for links and for whether cookies need https. */
  baseUrl: string;
  secret: string;
  log: Log;
  migrateUnderLock: (work: () => Promise<void>) => Promise<void>;
}) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4, options: "-c search_path=auth" });
  pool.on("error", (error) => log.warn({ err: error }, "a connection to the database broke"));
  const linkSinks = new Map<string, (token: string) => void>();

  const options = {
    appName: "Alcove",
    database: pool,
    secret,
    baseURL: baseUrl,
    basePath: "/api/auth",
    // A page is trusted when it was loaded from the address that it now calls: names and ports differ from machine to machine.
    trustedOrigins: (request) => (request ? [new URL(request.url).origin] : []),
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: 10, maxPasswordLength: 200 },
    session: { expiresIn: 60 * 60 * 24 * 30, updateAge: 60 * 60 * 24 },
    rateLimit: {
      enabled: true,
      customRules: { "/sign-in/email": { window: 60, max: 20 }, "/magic-link/verify": { window: 60, max: 60 } },
    },
    advanced: {
      cookiePrefix: "alcove",
      database: { generateId: ({ model }) => (model === "user" ? newId("user") : newId("key").slice(4)) },
    },
    telemetry: { enabled: false },
    logger: {
      level: "warn",
      log: (level, message) => log[level === "debug" ? "debug" : level]({ part: "better-auth" }, message),
    },
    plugins: [
      magicLink({
        disableSignUp: true,
        expiresIn: linkHours * 3600,
        storeToken: "hashed",
        sendMagicLink: ({ token, metadata }) => linkSinks.get(String(metadata?.["call"]))?.(token),
      }),
      apiKey({
        defaultPrefix: keyPrefix,
        rateLimit: { enabled: false },
        startingCharactersConfig: { shouldStore: true, charactersLength: 8 },
      }),
    ],
  } satisfies BetterAuthOptions;

  await migrateUnderLock(async () => {
    await pool.query("create schema if not exists auth");
    const { runMigrations } = await getMigrations(options);
    await runMigrations();
  });
  const auth = betterAuth(options);

  return {
    auth,
    pool,
    /** A token that signs this user in once, within 24 hours. */
    async linkToken(email: string): Promise<string> {
      const call = crypto.randomUUID();
      let token: string | undefined;
      linkSinks.set(call, (given) => (token = given));
      await auth.api.signInMagicLink({ body: { email, metadata: { call } }, headers: new Headers() });
      linkSinks.delete(call);
      if (token === undefined) throw new Error("better-auth gave no sign-in token");
      return token;
    },
  };
}

export type Auth = Awaited<ReturnType<typeof createAuth>>;
