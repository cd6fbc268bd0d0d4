import { createRoute, z } from "@hono/zod-openapi";
import { Readable } from "node:stream";
import {
  approvalSchema,
  answerApprovalSchema,
  createRunSchema,
  runSchema,
  runStateSchema,
  sessionSchema,
} from "@alcove/contract/api/run";
import { runEventSchema } from "@alcove/contract/api/event";
import { pageQuerySchema, pageSchema } from "@alcove/contract/api/problem";
import { CodedError } from "@alcove/contract/errors";
import type { Approvals } from "../../runs/approvals.ts";
import type { createRunCreation } from "../../runs/create-run.ts";
import type { Runs } from "../../runs/runs.ts";
import type { EventLog } from "../../events/event-log.ts";
import type { Live } from "../../events/live.ts";
import type { WorkspaceStore } from "../../workspaces/workspace-store.ts";
import type { ApiApp } from "../api-app.ts";
import { addStreamRoute, answers, bytes, downloadQuery, json, jsonBody } from "../openapi.ts";
import { contentHeaders } from "../content-headers.ts";
import { restOfPath } from "../rest-of-path.ts";
import { streamRunEvents } from "./run-event-stream.ts";

interface Parts {
  readonly runs: Runs;
  readonly createRun: ReturnType<typeof createRunCreation>;
  readonly approvals: Approvals;
  readonly events: EventLog;
  readonly live: Live;
  readonly store: WorkspaceStore;
  readonly stopping: AbortSignal;
}

const idParam = z.object({ id: z.string() });
const afterQuery = z.object({ after: z.coerce.number().int().min(0).optional() });
const longestWaitSeconds = 120;

export function addRunRoutes(app: ApiApp, { runs, createRun, approvals, events, live, store, stopping }: Parts): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/runs",
      summary: "Give a prompt to an agent",
      request: {
        headers: z.object({ "idempotency-key": z.string().min(1).max(200).optional() }),
        body: jsonBody(createRunSchema),
      },
      responses: {
        202: json("The run, queued", runSchema),
        200: json("The run of this idempotency key", runSchema),
        ...answers,
      },
    }),
    async (context) => {
      const user = context.get("user");
      const { run, created } = await createRun(
        user,
        context.req.valid("json"),
        context.req.valid("header")["idempotency-key"],
      );
      return context.json(await runs.get(user, run), created ? 202 : 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/runs",
      summary: "List runs, newest first",
      request: {
        query: pageQuerySchema.extend({
          workspace: z.string().optional(),
          session: z.string().optional(),
          state: z.string().optional(),
        }),
      },
      responses: { 200: json("A page of runs", pageSchema(runSchema)), ...answers },
    }),
    async (context) => {
      const { limit, cursor, workspace, session, state } = context.req.valid("query");
      const states = state?.split(",").map((name) => runStateSchema.safeParse(name).data ?? wrongState(name));
      return context.json(
        await runs.list(context.get("user"), { workspace, session, states, limit, before: cursor }),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/runs/{id}",
      summary: "One run; with `wait` (seconds) the answer comes when it has ended",
      request: {
        params: idParam,
        query: z.object({ wait: z.coerce.number().min(0).max(longestWaitSeconds).optional() }),
      },
      responses: { 200: json("The run", runSchema), ...answers },
    }),
    async (context) => {
      const { id } = context.req.valid("param");
      const { wait } = context.req.valid("query");
      const user = context.get("user");
      if (wait === undefined) return context.json(await runs.get(user, id), 200);
      const patience = AbortSignal.any([AbortSignal.timeout(wait * 1000), context.req.raw.signal, stopping]);
      return context.json(await runs.wait(user, id, patience), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/runs/{id}/cancel",
      summary: "Stop a run",
      request: { params: idParam },
      responses: { 200: json("The run", runSchema), ...answers },
    }),
    async (context) => context.json(await runs.cancel(context.get("user"), context.req.valid("param").id), 200),
  );

  const undone = z.object({ reverted: z.array(z.string()), kept: z.array(z.string()) });
  app.openapi(
    createRoute({
      method: "post",
      path: "/runs/{id}/undo",
      summary: "Put back what the run changed; what changed again since is kept",
      request: { params: idParam },
      responses: { 200: json("What was put back and what was left alone", undone), ...answers },
    }),
    async (context) => context.json(await runs.undo(context.get("user"), context.req.valid("param").id, stopping), 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/runs/{id}/events",
      summary: "The run's events as server-sent events; ends after the last",
      description:
        "`id` is the event's seq, `event` its kind. `delta` events have no id: text of an item that is not finished.",
      request: {
        params: idParam,
        query: afterQuery,
        headers: z.object({
          "last-event-id": z
            .string()
            .regex(/^\d{1,9}$/)
            .optional(),
        }),
      },
      responses: {
        200: { description: "Events", content: { "text/event-stream": { schema: runEventSchema } } },
        ...answers,
      },
    }),
    async (context) => {
      const { id } = await runs.get(context.get("user"), context.req.valid("param").id);
      const after = Number(context.req.valid("header")["last-event-id"] ?? context.req.valid("query").after ?? 0);
      return streamRunEvents({
        run: id,
        after,
        events,
        live,
        signal: AbortSignal.any([context.req.raw.signal, stopping]),
      });
    },
  );

  addStreamRoute(
    app,
    {
      method: "get",
      path: "/runs/{id}/files/{path}",
      summary: "A deliverable of a run, as it was at its end",
      query: downloadQuery,
      gives: { 200: { description: "The file", content: bytes } },
    },
    async (context) => {
      const path = restOfPath(context.req.url, 5);
      const run = context.req.param("id") ?? "";
      const { size, stream } = await runs.file(context.get("user"), run, path, context.req.raw.signal);
      const download = context.req.query("download") === "true";
      return new Response(Readable.toWeb(stream), { headers: contentHeaders(path, { size, download }) });
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/sessions",
      summary: "Conversations of a workspace, newest first",
      request: { query: z.object({ workspace: z.string() }) },
      responses: { 200: json("Sessions", pageSchema(sessionSchema)), ...answers },
    }),
    async (context) => {
      const user = context.get("user");
      const { id } = await store.owned(user, context.req.valid("query").workspace);
      return context.json({ items: await runs.sessions(user, id), next: null }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/approvals",
      summary: "Questions of agents",
      request: { query: z.object({ state: approvalSchema.shape.state.optional() }) },
      responses: { 200: json("Questions, newest first", pageSchema(approvalSchema)), ...answers },
    }),
    async (context) => {
      const items = await approvals.list(context.get("user"), context.req.valid("query").state);
      return context.json({ items, next: null }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/approvals/{id}",
      summary: "Answer a question",
      request: { params: idParam, body: jsonBody(answerApprovalSchema) },
      responses: { 200: json("The question", approvalSchema), ...answers },
    }),
    async (context) => {
      const { option } = context.req.valid("json");
      return context.json(
        await approvals.answer(context.get("user"), context.req.valid("param").id, option, stopping),
        200,
      );
    },
  );
}

function wrongState(name: string): never {
  throw new CodedError("bad_request", `"${name.slice(0, 40)}" is not a state of a run.`);
}
