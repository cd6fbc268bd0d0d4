import type { ApiKey, Me } from "@alcove/contract/api/account";
import { CodedError } from "@alcove/contract/errors";
import { parseId, type UserId } from "@alcove/contract/ids";
import { sameSecret, sha256 } from "../secrets/seal.ts";
import { keyPrefix, type Auth } from "./auth.ts";
import { createExpiringMap } from "./expiring-map.ts";

/** Who asks. `cookie` principals must prove by their Origin that the page itself asks. */
export interface Principal {
  readonly user: UserId;
  readonly via: "cookie" | "key" | "local";
}

export interface Identity {
  /** The owner of this server, made on the first call. */
  owner(): Promise<UserId>;
  ownerHasPassword(): Promise<boolean>;
  /** Path of a link that signs the owner in once. */
  ownerLink(): Promise<string>;
  /** Answers `/sign-in?token=…`: sets the cookie and leads to the page. */
  signInByLink(request: Request): Promise<Response>;
  /** better-auth's own routes below `/api/auth`. */
  handle(request: Request): Promise<Response>;
  /** Who sends these headers; undefined for nobody. Look-ups are remembered for 30 s. */
  principal(headers: Headers): Promise<Principal | undefined>;
  me(user: UserId): Promise<Me>;
  updateMe(
    user: UserId,
    change: { name?: string | undefined; email?: string | undefined; password?: string | undefined },
  ): Promise<Me>;
  keys(user: UserId): Promise<ApiKey[]>;
  createKey(user: UserId, name: string): Promise<ApiKey & { key: string }>;
  removeKey(user: UserId, id: string): Promise<void>;
}

/** Until the owner enters a real one; the `.invalid` domain can receive no mail (RFC 2606). */
const ownerPlaceholder = "owner@alcove.invalid";
const rememberMs = 30_000;

export function createIdentity({
  auth: { auth, pool, linkToken },
  localSecret,
}: {
  auth: Auth;
  localSecret: string;
}): Identity {
  const remembered = createExpiringMap<Principal>(rememberMs, 5_000);
  let ownerId: UserId | undefined;

  const owner = async (): Promise<UserId> => {
    if (ownerId) return ownerId;
    const find = () => pool.query<{ id: string }>(`select id from "user" order by "createdAt", id limit 1`);
    const found = (await find()).rows[0];
    if (found) return (ownerId = parseId("user", found.id));
    const context = await auth.$context;
    try {
      await context.internalAdapter.createUser(
        { email: ownerPlaceholder, name: "Owner", emailVerified: true },
        { method: "admin" },
      );
    } catch (error) {
      // Another replica may have made it at the same moment: the e-mail is unique.
      if (!(await find()).rows[0]) throw error;
    }
    return owner();
  };

  const user = async (id: UserId) => {
    const context = await auth.$context;
    const found = await context.internalAdapter.findUserById(id);
    if (!found) throw new CodedError("not_signed_in");
    const accounts = await context.internalAdapter.findAccounts(id);
    return { found, hasPassword: accounts.some((account) => account.providerId === "credential" && account.password) };
  };

  const me = async (id: UserId): Promise<Me> => {
    const { found, hasPassword } = await user(id);
    return {
      id,
      name: found.name,
      email: found.email === ownerPlaceholder ? null : found.email,
      role: id === (await owner()) ? "owner" : "member",
      hasPassword,
    };
  };

  const byKey = async (key: string): Promise<Principal | undefined> => {
    if (!key.startsWith(keyPrefix))
      return sameSecret(key, localSecret) ? { user: await owner(), via: "local" } : undefined;
    const { valid, key: found } = await auth.api.verifyApiKey({ body: { key } });
    return valid && found ? { user: parseId("user", found.referenceId), via: "key" } : undefined;
  };

  const bySession = async (headers: Headers): Promise<Principal | undefined> => {
    const session = await auth.api.getSession({ headers });
    return session ? { user: parseId("user", session.user.id), via: "cookie" } : undefined;
  };

  return {
    owner,
    me,
    ownerHasPassword: async () => (await user(await owner())).hasPassword,

    async ownerLink() {
      const { found } = await user(await owner());
      return `/sign-in?token=${encodeURIComponent(await linkToken(found.email))}`;
    },

    async signInByLink(request) {
      const from = new URL(request.url);
      const verify = new URL("/api/auth/magic-link/verify", from.origin);
      verify.searchParams.set("token", from.searchParams.get("token") ?? "");
      verify.searchParams.set("callbackURL", "/");
      verify.searchParams.set("errorCallbackURL", "/sign-in");
      const answer = await auth.handler(new Request(verify, { headers: request.headers }));
      const headers = new Headers({ location: "/", "cache-control": "no-store" });
      const good = answer.status === 302 && !answer.headers.get("location")?.includes("error=");
      if (good) for (const cookie of answer.headers.getSetCookie()) headers.append("set-cookie", cookie);
      else headers.set("location", "/sign-in?error=sign_in_link_spent");
      return new Response(null, { status: 302, headers });
    },

    handle(request) {
      if (new URL(request.url).pathname.endsWith("/sign-out")) remembered.clear();
      return auth.handler(request);
    },

    async principal(headers) {
      const bearer = /^Bearer (\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
      const cookie = headers.get("cookie");
      if (!bearer && !cookie) return undefined;
      const token = sha256(bearer ? `bearer ${bearer}` : `cookie ${cookie ?? ""}`);
      const known = remembered.get(token);
      if (known) return known;
      const found = bearer ? await byKey(bearer) : await bySession(new Headers({ cookie: cookie ?? "" }));
      if (found) remembered.set(token, found);
      return found;
    },

    async updateMe(id, { name, email, password }) {
      const context = await auth.$context;
      if (email !== undefined) {
        const other = await context.internalAdapter.findUserByEmail(email.toLowerCase());
        if (other && other.user.id !== id) throw new CodedError("name_taken", "This e-mail address is already in use.");
      }
      const change = {
        ...(name === undefined ? {} : { name }),
        ...(email === undefined ? {} : { email: email.toLowerCase() }),
      };
      if (Object.keys(change).length > 0) await context.internalAdapter.updateUser(id, change);
      if (password !== undefined) {
        const hash = await context.password.hash(password);
        if ((await user(id)).hasPassword) await context.internalAdapter.updatePassword(id, hash);
        else
          await context.internalAdapter.linkAccount({
            userId: id,
            providerId: "credential",
            accountId: id,
            password: hash,
          });
      }
      return me(id);
    },

    async keys(id) {
      const result = await pool.query<{
        id: string;
        name: string | null;
        start: string | null;
        createdAt: Date;
        lastRequest: Date | null;
      }>(
        `select id, name, start, "createdAt", "lastRequest" from apikey where "referenceId" = $1 order by "createdAt" desc`,
        [id],
      );
      return result.rows.map((row) => ({
        id: row.id,
        name: row.name ?? "",
        start: row.start ?? "",
        createdAt: row.createdAt.toISOString(),
        lastUsedAt: row.lastRequest?.toISOString() ?? null,
      }));
    },

    async createKey(id, name) {
      const made = await auth.api.createApiKey({ body: { name, userId: id } });
      return {
        id: made.id,
        name,
        start: made.start ?? made.key.slice(0, 8),
        key: made.key,
        createdAt: made.createdAt.toISOString(),
        lastUsedAt: null,
      };
    },

    async removeKey(id, key) {
      const result = await pool.query(`delete from apikey where id = $1 and "referenceId" = $2`, [key, id]);
      if (result.rowCount === 0) throw new CodedError("not_found", "There is no such API key.");
      remembered.clear();
    },
  };
}
