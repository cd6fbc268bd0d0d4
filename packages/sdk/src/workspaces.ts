import { CodedError, isErrorCode } from "@alcove/contract/errors";
import { problemSchema, pageSchema } from "@alcove/contract/api/problem";
import {
  type createTerminalSchema,
  type createWorkspaceSchema,
  execEventSchema,
  execResultSchema,
  listingSchema,
  type moveFileSchema,
  terminalSchema,
  type updateWorkspaceSchema,
  workspaceSchema,
  type ExecEvent,
  type ExecRequest,
} from "@alcove/contract/api/workspace";
import { workspaceEventSchema } from "@alcove/contract/api/workspace-event";
import type { z } from "zod";
import { encodePath, type RequestOptions, type Transport } from "./request.ts";
import { signalOf } from "./runs.ts";
import { readServerEvents } from "./server-events.ts";
import { createSnapshotCalls } from "./snapshots.ts";
import { openTerminalLine, type TerminalLineOptions } from "./terminal-line.ts";

interface Waiting {
  signal?: AbortSignal;
}

/** Longest time without a byte from a command: the server sends a comment far more often. */
const execSilenceMs = 120_000;

/** Workspaces of the API with their files, terminals, snapshots and commands. */
export function createWorkspaceCalls(transport: Transport) {
  const { read, send, url } = transport;
  const of = (workspace: string) => `/workspaces/${encodeURIComponent(workspace)}`;
  const fileOf = (workspace: string, path: string) => `${of(workspace)}/files/${encodePath(path)}`;
  const terminalOf = (workspace: string, terminal: string) =>
    `${of(workspace)}/terminals/${encodeURIComponent(terminal)}`;

  /** Output of one command as it comes, ended by its exit code; ending the loop early kills it. A dropped line is `workspace_unreachable`. */
  async function* exec(
    workspace: string,
    request: ExecRequest,
    options: Waiting = {},
  ): AsyncGenerator<ExecEvent, void, undefined> {
    const response = await send("POST", `${of(workspace)}/exec`, {
      json: request,
      headers: { accept: "text/event-stream" },
      ...signalOf(options),
    });
    if (!response.body) throw new CodedError("workspace_unreachable");
    const dropped = (cause?: unknown) =>
      new CodedError("workspace_unreachable", "The line to the command dropped before it ended", { cause });
    const events = readServerEvents(response.body, execSilenceMs);
    try {
      for (;;) {
        const next = await events.next().catch((error: unknown) => {
          options.signal?.throwIfAborted();
          throw dropped(error);
        });
        if (next.done) throw dropped();
        if (next.value.kind === "error") throw failureOf(next.value.data);
        const event = execEventSchema.parse(JSON.parse(next.value.data));
        yield event;
        if (event.kind === "exit") return;
      }
    } finally {
      await events.return();
    }
  }

  return {
    workspaces: {
      ...createSnapshotCalls(transport),
      list: (options: Waiting & { limit?: number; cursor?: string } = {}) =>
        read(pageSchema(workspaceSchema), "GET", "/workspaces", {
          query: { limit: options.limit, cursor: options.cursor },
          ...signalOf(options),
        }),
      create: (workspace: z.input<typeof createWorkspaceSchema> = {}, options: Waiting = {}) =>
        read(workspaceSchema, "POST", "/workspaces", { json: workspace, ...signalOf(options) }),
      get: (workspace: string, options: Waiting = {}) => read(workspaceSchema, "GET", of(workspace), signalOf(options)),
      /** Changes name, limits, network or lifetime, each as a whole; holds at once, also while the box runs. */
      update: (workspace: string, changes: z.input<typeof updateWorkspaceSchema>) =>
        read(workspaceSchema, "PATCH", of(workspace), { json: changes }),
      /** The end of what the box itself printed. */
      log: (workspace: string, options: Waiting = {}) =>
        send("GET", `${of(workspace)}/log`, signalOf(options)).then((response) => response.text()),
      /** Adds a host to the allow-list, as a click on a denial does. */
      allowHost: (workspace: string, host: string) =>
        read(workspaceSchema, "POST", `${of(workspace)}/network/allow`, { json: { host } }),
      /** What happened to the workspace: the newest first, or in order after `after`. */
      events: (workspace: string, options: Waiting & { after?: number; before?: number; limit?: number } = {}) =>
        read(pageSchema(workspaceEventSchema), "GET", `${of(workspace)}/events`, {
          query: { after: options.after, before: options.before, limit: options.limit },
          ...signalOf(options),
        }),
      delete: (workspace: string) => send("DELETE", of(workspace)).then(() => undefined),
      start: (workspace: string, options: Waiting = {}) =>
        read(workspaceSchema, "POST", `${of(workspace)}/start`, signalOf(options)),
      stop: (workspace: string, options: Waiting = {}) =>
        read(workspaceSchema, "POST", `${of(workspace)}/stop`, signalOf(options)),
      exec,
      /** Runs one command to its end. */
      execAndWait: (workspace: string, request: ExecRequest, options: Waiting = {}) =>
        read(execResultSchema, "POST", `${of(workspace)}/exec`, {
          query: { wait: true },
          json: request,
          ...signalOf(options),
        }),
    },
    /** Files of a workspace; paths are relative to its `/workspace`. */
    files: {
      url: (workspace: string, path: string, options: { download?: boolean } = {}) =>
        url(fileOf(workspace, path), options),
      archiveUrl: (workspace: string, path: string) => url(`${of(workspace)}/archive/${encodePath(path)}`),
      list: (workspace: string, path: string, options: Waiting = {}) =>
        read(listingSchema, "GET", fileOf(workspace, path), signalOf(options)),
      read: (workspace: string, path: string, options: Waiting & Pick<RequestOptions, "headers"> = {}) =>
        send("GET", fileOf(workspace, path), {
          ...(options.headers ? { headers: options.headers } : {}),
          ...signalOf(options),
        }),
      /**
       * Writes the file and gives its new ETag. `ifMatch` refuses with `file_changed` when somebody wrote it since, `ifNew` with `file_exists`
       * or `file_changed` when it is there already.
       */
      write: async (
        workspace: string,
        path: string,
        body: NonNullable<RequestInit["body"]>,
        options: Waiting & { ifMatch?: string; ifNew?: boolean; parents?: boolean } = {},
      ) => {
        const headers: Record<string, string> = { "content-type": "application/octet-stream" };
        if (options.ifMatch !== undefined) headers["if-match"] = options.ifMatch;
        if (options.ifNew) headers["if-none-match"] = "*";
        const response = await send("PUT", fileOf(workspace, path), {
          body,
          headers,
          query: { parents: options.parents },
          ...signalOf(options),
        });
        return { etag: response.headers.get("etag") };
      },
      createFolder: (workspace: string, path: string) =>
        send("PUT", fileOf(workspace, path), { query: { folder: true } }).then(() => undefined),
      delete: (workspace: string, path: string, options: { recursive?: boolean } = {}) =>
        send("DELETE", fileOf(workspace, path), { query: options }).then(() => undefined),
      move: (workspace: string, move: z.input<typeof moveFileSchema>) =>
        send("POST", `${of(workspace)}/files:move`, { json: move }).then(() => undefined),
    },
    terminals: {
      /** With `wake` false a workspace that sleeps is left asleep, and none are listed. */
      list: (workspace: string, options: Waiting & { wake?: boolean } = {}) =>
        read(pageSchema(terminalSchema), "GET", `${of(workspace)}/terminals`, {
          query: { wake: options.wake },
          ...signalOf(options),
        }),
      create: (workspace: string, terminal: z.input<typeof createTerminalSchema> = {}) =>
        read(terminalSchema, "POST", `${of(workspace)}/terminals`, { json: terminal }),
      delete: (workspace: string, terminal: string) =>
        send("DELETE", terminalOf(workspace, terminal)).then(() => undefined),
      /** Opens a line to the terminal that survives drops; see `openTerminalLine`. */
      attach: (workspace: string, terminal: string, options: Omit<TerminalLineOptions, "url" | "headers">) =>
        openTerminalLine({
          ...options,
          headers: transport.identity,
          url: (after, wake) =>
            url(terminalOf(workspace, terminal), { after, ...(wake ? {} : { wake }) }).replace(/^http/, "ws"),
        }),
    },
  };
}

function failureOf(data: string): CodedError {
  const problem = problemSchema.pick({ code: true, detail: true }).safeParse(JSON.parse(data));
  if (!problem.success) return new CodedError("workspace_unreachable");
  const { code, detail } = problem.data;
  return new CodedError(isErrorCode(code) ? code : "workspace_unreachable", detail);
}
