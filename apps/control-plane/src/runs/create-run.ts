import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import type { createRunSchema } from "@alcove/contract/api/run";
import { CodedError } from "@alcove/contract/errors";
import { newId, parseId, type RunId, type UserId } from "@alcove/contract/ids";
import type { z } from "zod";
import type { AgentShelf } from "../agents/agent-shelf.ts";
import type { Database } from "../database/database.ts";
import * as schema from "../database/schema.ts";
import { noteChange } from "../events/notices.ts";
import type { Wake } from "../events/wake.ts";
import { currentTraceId, traceIdFrom } from "../log/log.ts";
import { sha256 } from "../secrets/seal.ts";
import type { Workspaces } from "../workspaces/workspaces.ts";
import type { WorkspaceStore } from "../workspaces/workspace-store.ts";
import type { RunQueue } from "./run-queue.ts";
import { titleOf } from "./run-view.ts";

interface Parts {
  readonly database: Database;
  readonly queue: RunQueue;
  readonly workspaces: Workspaces;
  readonly store: WorkspaceStore;
  readonly agents: AgentShelf;
  readonly wake: Wake;
}

type Wish = z.output<typeof createRunSchema>;

/**
 * Stores prompt, run and queue entry in one transaction: from then on nothing is lost. The same idempotency key gives the same run. Errors:
 * `agent_unknown`, `not_found`, `workspace_deleting`, `idempotency_mismatch`.
 */
export function createRunCreation({ database, queue, workspaces, store, agents, wake }: Parts) {
  const existing = async (owner: UserId, key: string, hash: string): Promise<RunId | undefined> => {
    const [row] = await database.db
      .select({ id: schema.runs.id, hash: schema.runs.requestHash })
      .from(schema.runs)
      .where(and(eq(schema.runs.ownerId, owner), eq(schema.runs.idempotencyKey, key)));
    if (!row) return undefined;
    if (row.hash !== hash) throw new CodedError("idempotency_mismatch");
    return parseId("run", row.id);
  };

  const ownSession = async (owner: UserId, id: string) => {
    const [row] = await database.db
      .select()
      .from(schema.sessions)
      .where(and(eq(schema.sessions.id, id), eq(schema.sessions.ownerId, owner)));
    if (!row) throw new CodedError("not_found", `There is no session "${id.slice(0, 80)}".`);
    return row;
  };

  /** The session to go on with; a new one gets an id of its own and is stored with the run. */
  const place = async (owner: UserId, wish: Wish) => {
    if (wish.session !== undefined) {
      const session = await ownSession(owner, wish.session);
      if (wish.agent !== undefined && wish.agent !== session.agent) {
        throw new CodedError("bad_request", `This conversation is with ${session.agent}.`, {
          hint: "Begin a new session to work with another agent.",
        });
      }
      const workspace = await store.owned(owner, session.workspaceId);
      return { workspace, session: session.id, isNew: false, agent: session.agent };
    }
    const agent = wish.agent ?? agents.defaultName;
    agents.require(agent);
    const workspace =
      wish.workspace === undefined ? await workspaces.create(owner, {}) : await store.owned(owner, wish.workspace);
    return { workspace, session: newId("session"), isNew: true, agent };
  };

  return async (
    owner: UserId,
    wish: Wish,
    idempotencyKey: string | undefined,
  ): Promise<{ run: RunId; created: boolean }> => {
    const hash = sha256(JSON.stringify(wish));
    const before = idempotencyKey === undefined ? undefined : await existing(owner, idempotencyKey, hash);
    if (before) return { run: before, created: false };
    const { workspace, session, isNew, agent } = await place(owner, wish);
    if (workspace.state === "deleting") throw new CodedError("workspace_deleting");
    agents.require(agent);
    const id = newId("run");
    const title = titleOf(wish.prompt);
    const client = await database.pool.connect();
    try {
      const tx = drizzle(client, { schema });
      await client.query("begin");
      if (isNew)
        await tx
          .insert(schema.sessions)
          .values({ id: session, workspaceId: workspace.id, ownerId: owner, agent, title });
      await tx.insert(schema.runs).values({
        id,
        sessionId: session,
        workspaceId: workspace.id,
        ownerId: owner,
        agent,
        model: wish.model ?? null,
        mode: wish.mode,
        prompt: wish.prompt,
        directory: wish.directory ?? null,
        title,
        state: "queued",
        idempotencyKey: idempotencyKey ?? null,
        requestHash: hash,
        traceId: currentTraceId() ?? traceIdFrom(null),
        lastSeq: 1,
      });
      await tx
        .insert(schema.runEvents)
        .values({ runId: id, seq: 1, kind: "run.state", data: { state: "queued", error: null } });
      await queue.enqueue(client, id, session);
      await noteChange(tx, { owner, resource: "run", id, workspace: workspace.id });
      await client.query("commit");
    } catch (error) {
      await client.query("rollback");
      const raced = idempotencyKey === undefined ? undefined : await existing(owner, idempotencyKey, hash);
      if (raced) return { run: raced, created: false };
      throw error;
    } finally {
      client.release();
    }
    wake.notify(`owner:${owner}`);
    return { run: id, created: true };
  };
}
