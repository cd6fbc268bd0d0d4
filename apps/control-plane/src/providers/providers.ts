import { and, asc, eq } from "drizzle-orm";
import type { Provider, ProviderKind } from "@alcove/contract/api/agent";
import { CodedError, toCodedError } from "@alcove/contract/errors";
import type { Db } from "../database/database.ts";
import { providers } from "../database/schema.ts";
import { noteChange } from "../events/notices.ts";
import type { Wake } from "../events/wake.ts";
import type { Seal } from "../secrets/seal.ts";
import { checkProvider, defaultBaseUrls, type ProviderAddress } from "./provider-check.ts";

type ProviderRow = typeof providers.$inferSelect;

export interface ResolvedProvider extends ProviderAddress {
  readonly name: string;
  /** What it said that it serves; none where it has no such list. */
  readonly models: readonly string[];
}

export interface Providers {
  list(owner: string): Promise<Provider[]>;
  /** Stores the key encrypted and checks it; a key that is refused is stored all the same, and says so. */
  put(
    owner: string,
    name: string,
    wish: { kind: ProviderKind; baseUrl?: string | undefined; key: string; models?: string[] | undefined },
    signal: AbortSignal,
  ): Promise<Provider>;
  remove(owner: string, name: string): Promise<void>;
  /** Asks the provider again and keeps what it said. */
  check(owner: string, name: string, signal: AbortSignal): Promise<Provider>;
  /** The provider that an agent with these kinds, best first, would use; undefined when none is connected. */
  choose(owner: string, kinds: readonly ProviderKind[]): Promise<ResolvedProvider | undefined>;
  /** Checks unless it worked within the last ten minutes. Errors: `model_key_refused`, `model_unreachable`. */
  requireWorking(owner: string, name: string, signal: AbortSignal): Promise<void>;
  /** Keeps what a real call to the model has shown. */
  noteAnswer(owner: string, name: string, failure: CodedError | null): Promise<void>;
  /** Takes over the keys of the server's environment for its owner, and lets go those that are no longer there. */
  adoptEnvironment(
    owner: string,
    given: readonly { name: string; kind: ProviderKind; key: string; baseUrl: string | null }[],
  ): Promise<void>;
}

const checkedForMs = 600_000;

export function createProviders({ db, seal, wake }: { db: Db; seal: Seal; wake: Wake }): Providers {
  const context = (owner: string, name: string) => `provider:${owner}:${name}`;

  const find = async (owner: string, name: string): Promise<ProviderRow> => {
    const [row] = await db
      .select()
      .from(providers)
      .where(and(eq(providers.ownerId, owner), eq(providers.name, name)));
    if (!row) throw new CodedError("provider_unknown", `There is no provider "${name.slice(0, 80)}".`);
    return row;
  };

  const rows = (owner: string) =>
    db.select().from(providers).where(eq(providers.ownerId, owner)).orderBy(asc(providers.name));

  const address = (row: ProviderRow): ResolvedProvider => ({
    name: row.name,
    kind: row.kind,
    baseUrl: row.baseUrl,
    models: row.models,
    key: seal.open(row.keySealed, context(row.ownerId, row.name)),
  });

  const keep = async (owner: string, name: string, change: Partial<ProviderRow>): Promise<void> => {
    await db
      .update(providers)
      .set(change)
      .where(and(eq(providers.ownerId, owner), eq(providers.name, name)));
    await noteChange(db, { owner, resource: "provider", id: name, workspace: null });
    wake.notify(`owner:${owner}`);
  };

  const keepAnswer = (owner: string, name: string, failure: CodedError | null, models?: string[]) =>
    keep(owner, name, {
      state: failure === null ? "works" : failure.code === "model_key_refused" ? "refused" : "unreachable",
      error: failure && { code: failure.code, detail: failure.message, hint: failure.hint },
      checkedAt: new Date(),
      ...(models && models.length > 0 ? { models } : {}),
    });

  const check = async (row: ProviderRow, signal: AbortSignal): Promise<CodedError | null> => {
    try {
      await keepAnswer(row.ownerId, row.name, null, await checkProvider(address(row), signal));
      return null;
    } catch (error) {
      signal.throwIfAborted();
      const failure = toCodedError(error);
      if (failure.code === "internal") throw error;
      await keepAnswer(row.ownerId, row.name, failure);
      return failure;
    }
  };

  const store = async (
    owner: string,
    name: string,
    wish: { kind: ProviderKind; baseUrl?: string | null | undefined; key: string; models?: string[] | undefined },
    source: "settings" | "environment",
  ) => {
    const values = {
      kind: wish.kind,
      baseUrl: (wish.baseUrl ?? defaultBaseUrls[wish.kind]).replace(/\/+$/, ""),
      keySealed: seal.seal(wish.key, context(owner, name)),
      keyEnding: wish.key.length > 8 ? wish.key.slice(-4) : "",
      source,
      state: "unchecked" as const,
      error: null,
      checkedAt: null,
      models: wish.models ?? [],
      updatedAt: new Date(),
    };
    await db
      .insert(providers)
      .values({ ownerId: owner, name, ...values })
      .onConflictDoUpdate({ target: [providers.ownerId, providers.name], set: values });
  };

  return {
    list: async (owner) => (await rows(owner)).map(shown),

    async put(owner, name, wish, signal) {
      await store(owner, name, wish, "settings");
      await check(await find(owner, name), signal);
      return shown(await find(owner, name));
    },

    async remove(owner, name) {
      await find(owner, name);
      await db.delete(providers).where(and(eq(providers.ownerId, owner), eq(providers.name, name)));
      await keep(owner, name, { updatedAt: new Date() });
    },

    async check(owner, name, signal) {
      await check(await find(owner, name), signal);
      return shown(await find(owner, name));
    },

    async choose(owner, kinds) {
      const all = await rows(owner);
      for (const kind of kinds) {
        const ofKind = all.filter((row) => row.kind === kind);
        const best = ofKind.find((row) => row.state === "works") ?? ofKind[0];
        if (best) return address(best);
      }
      return undefined;
    },

    async requireWorking(owner, name, signal) {
      const row = await find(owner, name);
      const fresh =
        row.state === "works" && row.checkedAt !== null && Date.now() - row.checkedAt.getTime() < checkedForMs;
      if (fresh) return;
      const failure = await check(row, signal);
      if (failure) throw failure;
    },

    noteAnswer: (owner, name, failure) => keepAnswer(owner, name, failure),

    async adoptEnvironment(owner, given) {
      for (const row of await rows(owner)) {
        if (row.source === "environment" && !given.some(({ name }) => name === row.name)) {
          await db.delete(providers).where(and(eq(providers.ownerId, owner), eq(providers.name, row.name)));
        }
      }
      for (const { name, ...wish } of given) await store(owner, name, wish, "environment");
    },
  };
}

function shown(row: ProviderRow): Provider {
  return {
    name: row.name,
    kind: row.kind,
    baseUrl: row.baseUrl,
    keyEnding: row.keyEnding,
    source: row.source,
    state: row.state,
    error: row.error,
    checkedAt: row.checkedAt?.toISOString() ?? null,
    models: row.models,
    updatedAt: row.updatedAt.toISOString(),
  };
}
