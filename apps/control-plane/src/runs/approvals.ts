import { and, desc, eq, inArray } from "drizzle-orm";
import type { Approval } from "@alcove/contract/api/run";
import { CodedError } from "@alcove/contract/errors";
import { parseId, type RunId, type UserId } from "@alcove/contract/ids";
import { z } from "zod";
import type { Db, Transaction } from "../database/database.ts";
import { approvals, workspaces as workspaceRows, runs, type ApprovalOption, type RunRow } from "../database/schema.ts";
import { StaleLease, type EventLog } from "../events/event-log.ts";
import { noteChange } from "../events/notices.ts";
import type { Wake } from "../events/wake.ts";
import type { Workspaces } from "../workspaces/workspaces.ts";
import { toolCallFrom } from "./tool-call.ts";

const optionSchema = z.object({
  optionId: z.string(),
  name: z.string(),
  kind: z.enum(["allow_once", "allow_always", "reject_once", "reject_always"]),
});
const requestSchema = z.object({ toolCall: z.record(z.string(), z.unknown()), options: z.array(optionSchema) });

export interface Question {
  readonly title: string;
  readonly subject: string | null;
  readonly toolCall: string | null;
  readonly options: ApprovalOption[];
}

/** The question in an ACP `session/request_permission`. */
export function questionFrom(request: unknown): Question {
  const parsed = requestSchema.safeParse(request);
  if (!parsed.success) return { title: "The agent asks for permission", subject: null, toolCall: null, options: [] };
  const id = parsed.data.toolCall["toolCallId"];
  const call = toolCallFrom(typeof id === "string" ? id : "call", parsed.data.toolCall, undefined);
  return {
    title: call.title,
    subject: call.command ?? call.locations[0]?.path ?? null,
    toolCall: typeof id === "string" ? id : null,
    options: parsed.data.options.map(({ optionId, name, kind }) => ({ id: optionId, label: name, kind })),
  };
}

/** Stores the question in the transaction of its event; the same question twice is one row. */
export async function storeApproval(
  tx: Transaction,
  run: RunRow,
  id: string,
  permission: string,
  question: Question,
): Promise<void> {
  await tx
    .insert(approvals)
    .values({
      id,
      runId: run.id,
      workspaceId: run.workspaceId,
      ownerId: run.ownerId,
      permissionId: permission,
      title: question.title,
      subject: question.subject,
      options: question.options,
    })
    .onConflictDoNothing();
  await noteChange(tx, { owner: run.ownerId, resource: "approval", id, workspace: run.workspaceId });
}

/** The agent that asked is gone: what is open is said to have expired. */
export async function expireApprovals(run: RunId, { db, events }: { db: Db; events: EventLog }): Promise<void> {
  const open = await db
    .select()
    .from(approvals)
    .where(and(eq(approvals.runId, run), eq(approvals.state, "open")));
  for (const { id } of open) {
    await events.append(run, "any", [{ kind: "permission.expired", data: { approval: id } }], {}, async (tx, row) => {
      await tx.update(approvals).set({ state: "expired", endedAt: new Date() }).where(eq(approvals.id, id));
      await noteChange(tx, { owner: row.ownerId, resource: "approval", id, workspace: row.workspaceId });
    });
  }
}

export interface Approvals {
  list(owner: UserId, state: Approval["state"] | undefined): Promise<Approval[]>;
  /** Passes the answer on to the agent that waits; `approval_answered`, `approval_expired`, `bad_request` for an unknown option. */
  answer(owner: UserId, id: string, option: string, signal: AbortSignal): Promise<Approval>;
}

export function createApprovals({
  db,
  events,
  wake,
  workspaces,
}: {
  db: Db;
  events: EventLog;
  wake: Wake;
  workspaces: Workspaces;
}): Approvals {
  const rows = async (owner: UserId, id: string | undefined, state: Approval["state"] | undefined) => {
    const found = await db
      .select({ approval: approvals, agent: runs.agent, workspaceName: workspaceRows.name })
      .from(approvals)
      .innerJoin(runs, eq(runs.id, approvals.runId))
      .innerJoin(workspaceRows, eq(workspaceRows.id, approvals.workspaceId))
      .where(
        and(
          eq(approvals.ownerId, owner),
          id === undefined ? undefined : eq(approvals.id, id),
          state && eq(approvals.state, state),
        ),
      )
      .orderBy(desc(approvals.createdAt))
      .limit(200);
    return found.map(({ approval, agent, workspaceName }): Approval => ({
      id: approval.id,
      run: approval.runId,
      workspace: approval.workspaceId,
      workspaceName,
      agent,
      title: approval.title,
      subject: approval.subject,
      options: approval.options,
      state: approval.state,
      answer: approval.answer,
      createdAt: approval.createdAt.toISOString(),
    }));
  };

  const one = async (owner: UserId, id: string): Promise<Approval> => {
    const [found] = await rows(owner, id, undefined);
    if (!found) throw new CodedError("not_found", "There is no such question.");
    return found;
  };

  return {
    list: (owner, state) => rows(owner, undefined, state),
    async answer(owner, id, option, signal) {
      const asked = await one(owner, id);
      if (asked.state === "answered") throw new CodedError("approval_answered");
      if (asked.state === "expired") throw new CodedError("approval_expired");
      const chosen = asked.options.find((known) => known.id === option);
      if (!chosen) throw new CodedError("bad_request", `"${option.slice(0, 80)}" is not one of the options.`);
      const [row] = await db.select().from(approvals).where(eq(approvals.id, id));
      const run = parseId("run", asked.run);
      const box = await workspaces.box(parseId("workspace", asked.workspace), signal);
      const path = `/v1/runs/${run}/permissions/${encodeURIComponent(row?.permissionId ?? "")}`;
      const answer = await box.request({
        method: "POST",
        path,
        body: JSON.stringify({ option }),
        headers: { "content-type": "application/json" },
        signal,
      });
      answer.resume();
      try {
        await events.append(
          run,
          "any",
          [{ kind: "permission.answered", data: { approval: id, option, label: chosen.label } }],
          {},
          (tx) => markAnswered(tx, owner, asked, option),
        );
      } catch (error) {
        if (!(error instanceof StaleLease)) throw error;
        await db.transaction((tx) => markAnswered(tx, owner, asked, option));
      }
      wake.notify(`owner:${owner}`);
      return one(owner, id);
    },
  };
}

async function markAnswered(tx: Transaction, owner: UserId, asked: Approval, option: string): Promise<void> {
  const open = and(eq(approvals.id, asked.id), inArray(approvals.state, ["open"]));
  await tx.update(approvals).set({ state: "answered", answer: option, endedAt: new Date() }).where(open);
  await noteChange(tx, { owner, resource: "approval", id: asked.id, workspace: asked.workspace });
}
