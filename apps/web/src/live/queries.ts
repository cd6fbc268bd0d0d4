import type { Template } from "@alcove/contract/api/template";
import type { Workspace } from "@alcove/contract/api/workspace";
import { CodedError } from "@alcove/contract/errors";
import { QueryClient, queryOptions } from "@tanstack/react-query";
import { client } from "./client.ts";

/** A refusal stays one when it is asked again; only a missing answer is worth another try. */
function retry(failures: number, error: Error): boolean {
  return isMissingAnswer(error) && failures < 3;
}

function isMissingAnswer(error: Error | null): boolean {
  return error instanceof CodedError && error.code === "server_unreachable";
}

function isBeingBuilt({ versions }: Template): boolean {
  return versions.some(({ state }) => state === "building");
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry,
        retryDelay: (failures) => 400 * 2 ** failures,
        staleTime: 30_000,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
      },
    },
  });
}

export const queries = {
  welcome: () => queryOptions({ queryKey: ["welcome"], queryFn: ({ signal }) => client.welcome({ signal }) }),
  // The whole page waits for this one: no answer is said at once and asked for again until there is one.
  me: () =>
    queryOptions({
      queryKey: ["me"],
      queryFn: ({ signal }) => client.me.get({ signal }),
      staleTime: Infinity,
      retry: false,
      refetchInterval: (query) => (isMissingAnswer(query.state.error) ? 3_000 : false),
    }),
  keys: () => queryOptions({ queryKey: ["keys"], queryFn: ({ signal }) => client.keys.list({ signal }) }),
  system: () =>
    queryOptions({ queryKey: ["system"], queryFn: ({ signal }) => client.system({ signal }), staleTime: 0 }),
  workspaces: () =>
    queryOptions({ queryKey: ["workspaces"], queryFn: ({ signal }) => client.workspaces.list({ signal, limit: 200 }) }),
  workspace: (workspace: string) =>
    queryOptions({
      queryKey: ["workspace", workspace],
      queryFn: async ({ signal, client: copies }) => {
        const found = await client.workspaces.get(workspace, { signal });
        const before = copies.getQueryData<Workspace>(["workspace", workspace]);
        // Another one of that name: what is known of the first one is not about it.
        if (before && before.id !== found.id)
          copies.removeQueries({
            predicate: ({ queryKey: [kind, ...of] }) => kind !== "workspace" && of.includes(workspace),
          });
        return found;
      },
    }),
  workspaceEvents: (workspace: string) =>
    queryOptions({
      queryKey: ["workspace-events", workspace],
      queryFn: ({ signal }) => client.workspaces.events(workspace, { signal, limit: 200 }),
    }),
  workspaceLog: (workspace: string) =>
    queryOptions({
      queryKey: ["workspace-log", workspace],
      queryFn: ({ signal }) => client.workspaces.log(workspace, { signal }),
      staleTime: 0,
    }),
  snapshots: (workspace: string) =>
    queryOptions({
      queryKey: ["snapshots", workspace],
      queryFn: ({ signal }) => client.workspaces.snapshots(workspace, { signal }),
    }),
  snapshotChanges: (workspace: string, range: { from: string; to: string | null }) =>
    queryOptions({
      queryKey: ["snapshots", workspace, "changes", range.from, range.to],
      queryFn: ({ signal }) =>
        client.workspaces.changes(workspace, range.to === null ? { from: range.from } : { ...range, to: range.to }, {
          signal,
        }),
      staleTime: range.to === null ? 0 : Infinity,
    }),
  templates: () =>
    queryOptions({
      queryKey: ["templates"],
      queryFn: ({ signal }) => client.templates.list({ signal }),
      // How far a build is, is told to nobody: it is asked for.
      refetchInterval: (query) => (query.state.data?.items.some(isBeingBuilt) ? 1_000 : false),
    }),
  recentRuns: () =>
    queryOptions({ queryKey: ["runs", "recent"], queryFn: ({ signal }) => client.runs.list({ signal, limit: 100 }) }),
  sessionRuns: (session: string) =>
    queryOptions({
      queryKey: ["runs", "session", session],
      queryFn: ({ signal }) => client.runs.list({ signal, session, limit: 200 }),
    }),
  workspaceRuns: (workspace: string) =>
    queryOptions({
      queryKey: ["runs", "workspace", workspace],
      queryFn: ({ signal }) => client.runs.list({ signal, workspace, limit: 100 }),
    }),
  sessions: (workspace: string) =>
    queryOptions({
      queryKey: ["sessions", workspace],
      queryFn: ({ signal }) => client.sessions.list({ signal, workspace, limit: 200 }),
    }),
  approvals: () =>
    queryOptions({ queryKey: ["approvals"], queryFn: ({ signal }) => client.approvals.list({ signal }) }),
  agents: () => queryOptions({ queryKey: ["agents"], queryFn: ({ signal }) => client.agents.list({ signal }) }),
  providers: () =>
    queryOptions({ queryKey: ["providers"], queryFn: ({ signal }) => client.providers.list({ signal }) }),
  terminals: (workspace: string) =>
    queryOptions({
      queryKey: ["terminals", workspace],
      queryFn: ({ signal }) => client.terminals.list(workspace, { signal }),
      staleTime: 0,
    }),
  /** Terminals as far as they are known without waking anything. */
  awakeTerminals: (workspace: string) =>
    queryOptions({
      queryKey: ["terminals", workspace, "awake"],
      queryFn: ({ signal }) => client.terminals.list(workspace, { signal, wake: false }),
    }),
  folder: (workspace: string, path: string) =>
    queryOptions({
      queryKey: ["folder", workspace, path],
      queryFn: ({ signal }) => client.files.list(workspace, path, { signal }),
      staleTime: 5_000,
    }),
};
