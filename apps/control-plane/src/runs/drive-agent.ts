import { eq } from "drizzle-orm";
import { CodedError, isErrorCode } from "@alcove/contract/errors";
import { newId, parseId, type RunId, type WorkspaceId } from "@alcove/contract/ids";
import { journalLineSchema, type JournalEntry, type RunEnd, type RunSpec } from "@alcove/contract/box/run";
import type { AgentShelf } from "../agents/agent-shelf.ts";
import type { BoxClient } from "../box/box-client.ts";
import type { Db } from "../database/database.ts";
import { runs, sessions, type RunRow } from "../database/schema.ts";
import type { EventLog, NewEvent } from "../events/event-log.ts";
import { noteChange } from "../events/notices.ts";
import type { Live } from "../events/live.ts";
import { pause } from "../events/wake.ts";
import { gatewayUrls } from "../gateway/routes.ts";
import type { ModelGateway } from "../gateway/model-gateway.ts";
import type { RunTokens } from "../gateway/run-token.ts";
import { keepUplink } from "../gateway/uplink.ts";
import type { Log } from "../log/log.ts";
import type { Providers } from "../providers/providers.ts";
import type { Workspaces } from "../workspaces/workspaces.ts";
import { questionFrom, storeApproval } from "./approvals.ts";
import { createFold, type Durable, type Folded } from "./fold-journal.ts";

/** How the agent's part of a run ended. */
export type Outcome =
  | { readonly type: "done" | "cancelled" }
  | { readonly type: "failed" | "died"; readonly error: CodedError };

export interface DriveRequest {
  readonly run: RunId;
  readonly lease: number;
  readonly row: RunRow;
  /** Aborts when the user wants the run to end. */
  readonly cancel: AbortSignal;
  /** Aborts when this server stops; the agent goes on. */
  readonly signal: AbortSignal;
}

export type DriveAgent = (request: DriveRequest) => Promise<Outcome>;

interface Parts {
  readonly db: Db;
  readonly events: EventLog;
  readonly live: Live;
  readonly workspaces: Workspaces;
  readonly agents: AgentShelf;
  readonly providers: Providers;
  readonly gateway: ModelGateway;
  readonly tokens: RunTokens;
  /** What the model answered last for the run, if it was a failure. */
  readonly modelFailure: (run: RunId) => CodedError | undefined;
  readonly log: Log;
}

/** How often the box may be found dead before the run gives up. */
const attempts = 5;

/**
 * Gives the run to the daemon, once however often it is asked, and follows the journal to its end: finished items are stored, the rest passes
 * by. Keeps the way to the model open meanwhile.
 */
export function createDriveAgent(parts: Parts): DriveAgent {
  const { db, events, live, workspaces, agents, providers, gateway, tokens, log } = parts;

  return async (request) => {
    const { run, row, cancel, signal } = request;
    const workspace = parseId("workspace", row.workspaceId);
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const uplink = keepUplink({ box: () => workspaces.box(workspace, both), gateway, workspace, signal: both, log });
    const cancelling = cancelWhenAsked(workspace, run, cancel, both);
    try {
      for (let attempt = 1; ; attempt += 1) {
        const box = await workspaces.box(workspace, signal);
        try {
          return await once(request, workspace, box);
        } catch (error) {
          const broken = error instanceof CodedError && error.code === "workspace_unreachable";
          if (!broken || attempt >= attempts || signal.aborted) throw error;
          log.warn({ err: error, run, attempt }, "the line to the box broke");
          await pause(100 * 2 ** attempt, signal);
          await workspaces.doubt(workspace, box.epoch, signal);
        }
      }
    } finally {
      over.abort();
      await Promise.all([uplink, cancelling]);
    }
  };

  async function once(request: DriveRequest, workspace: WorkspaceId, box: BoxClient): Promise<Outcome> {
    const { run, signal } = request;
    const spec = await specFor(request);
    const path = `/v1/runs/${run}`;
    const headers = { "content-type": "application/json" };
    const taken = await box.request({ method: "PUT", path, headers, body: JSON.stringify(spec), signal });
    taken.resume();
    const [row] = await db.select({ folded: runs.folded, state: runs.state }).from(runs).where(eq(runs.id, run));
    if (row?.state === "preparing") {
      await events.append(
        run,
        { lease: request.lease },
        [{ kind: "run.state", data: { state: "running", error: null } }],
        { state: "running" },
      );
    }
    return follow(request, workspace, box, row?.folded ?? 0);
  }

  async function specFor({ run, row }: DriveRequest): Promise<RunSpec> {
    const agent = agents.require(row.agent);
    const provider = await providers.choose(row.ownerId, agent.providers);
    if (!provider) throw new CodedError("model_key_missing");
    const model = row.model ?? agents.modelFor(agent.name, provider);
    return {
      run,
      session: parseId("session", row.sessionId),
      agent: agents.launch({
        agent: agent.name,
        provider: provider.kind,
        model,
        mode: row.mode,
        token: tokens.issue(run),
        gateway: gatewayUrls,
      }),
      directory: row.directory ?? "user/projects",
      prompt: row.prompt,
      mode: row.mode,
      model,
    };
  }

  /** Reads the journal from its beginning, so that the fold is whole; what is stored already is passed by. */
  async function follow(
    request: DriveRequest,
    workspace: WorkspaceId,
    box: BoxClient,
    stored: number,
  ): Promise<Outcome> {
    const { run, lease, signal } = request;
    const fold = createFold();
    let passed = 0;
    const path = `/v1/runs/${run}/journal?after=0`;
    for await (const line of box.lines(journalLineSchema, { path, signal })) {
      if ("ping" in line) continue;
      const fresh: Durable[] = [];
      for (const item of fold.take(line)) {
        if (item.type === "text" || item.type === "output") {
          pass(run, item);
          continue;
        }
        passed += 1;
        if (passed > stored) fresh.push(item);
      }
      if (fresh.length > 0) await store(run, lease, line, fresh, passed);
      if (line.type === "end") return outcomeOf(request, line);
    }
    throw new CodedError("workspace_unreachable", "The agent's journal ended before the run did.");
  }

  function pass(run: RunId, item: Extract<Folded, { type: "text" | "output" }>): void {
    if (item.type === "text") live.append(run, item.of, item.item, item.text);
    else if (item.whole) live.replace(run, "tool_output", item.item, item.text);
    else live.append(run, "tool_output", item.item, item.text);
  }

  async function store(
    run: RunId,
    lease: number,
    entry: JournalEntry,
    items: readonly Durable[],
    folded: number,
  ): Promise<void> {
    const bodies: NewEvent[] = [];
    const change: Partial<RunRow> = { folded };
    const also: Parameters<EventLog["append"]>[4][] = [];
    for (const item of items) {
      switch (item.type) {
        case "event":
          bodies.push({ ...item.event, raw: item.raw });
          if (item.event.kind === "agent_message") change.text = item.event.data.text;
          if (item.event.kind === "session_info") {
            const { title } = item.event.data;
            also.push(async (tx, row) => {
              await tx.update(sessions).set({ title }).where(eq(sessions.id, row.sessionId));
              await noteChange(tx, {
                owner: row.ownerId,
                resource: "session",
                id: row.sessionId,
                workspace: row.workspaceId,
              });
            });
          }
          break;
        case "permission": {
          const id = newId("approval");
          const { title, subject, toolCall, ...question } = questionFrom(item.request);
          bodies.push({
            kind: "permission.requested",
            data: { approval: id, title, subject, toolCall },
            raw: item.request,
          });
          bodies.push({ kind: "run.state", data: { state: "waiting", error: null } });
          change.state = "waiting";
          also.push((tx, row) => storeApproval(tx, row, id, item.id, { title, subject, toolCall, ...question }));
          break;
        }
        case "permission_result":
          bodies.push({ kind: "run.state", data: { state: "running", error: null } });
          change.state = "running";
          break;
        case "end":
          break;
      }
    }
    await events.append(run, { lease }, bodies, change, async (tx, row) => {
      for (const step of also) await step?.(tx, row);
    });
    for (const { kind, data } of bodies) {
      if (kind === "agent_message" || kind === "agent_thought") live.finish(run, data.item);
      if (kind === "tool_call_update") live.finish(run, data.id);
    }
    log.trace({ run, journal: entry.seq }, "stored");
  }

  function outcomeOf({ run, cancel }: DriveRequest, end: RunEnd): Outcome {
    switch (end.outcome) {
      case "cancelled":
        return { type: "cancelled" };
      case "done": {
        if (cancel.aborted && end.stopReason === "cancelled") return { type: "cancelled" };
        const failure = parts.modelFailure(run);
        return failure ? { type: "failed", error: failure } : { type: "done" };
      }
      case "failed": {
        const code = isErrorCode(end.code) ? end.code : "agent_failed";
        return { type: "failed", error: parts.modelFailure(run) ?? new CodedError(code, end.detail) };
      }
      case "died": {
        if (cancel.aborted) return { type: "cancelled" };
        const how = end.signal
          ? `by ${end.signal}`
          : end.exitCode === null
            ? "with its workspace"
            : `with code ${end.exitCode}`;
        const detail = `The agent's process was ended ${how}. Its last step may or may not have happened.`;
        return { type: "died", error: new CodedError("agent_died", detail) };
      }
    }
  }

  async function cancelWhenAsked(
    workspace: WorkspaceId,
    run: RunId,
    cancel: AbortSignal,
    signal: AbortSignal,
  ): Promise<void> {
    await aborted(AbortSignal.any([cancel, signal]));
    for (let attempt = 0; !signal.aborted && attempt < attempts; attempt += 1) {
      try {
        const box = await workspaces.box(workspace, signal);
        const answer = await box.request({ method: "POST", path: `/v1/runs/${run}/cancel`, signal });
        answer.resume();
        return;
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error, run }, "the agent was not told to stop; trying again");
        await pause(300, signal);
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
