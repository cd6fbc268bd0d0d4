import type { CreateRun } from "@alcove/contract/api/run";
import type { Failure } from "@alcove/contract/api/problem";
import type { CreateWorkspace, Workspace } from "@alcove/contract/api/workspace";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from "react";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { failureOf } from "../ui/alert.tsx";

type Creation =
  | { state: "idle" }
  | { state: "creating"; since: number; place: Place; wish: CreateWorkspace }
  | { state: "failed"; failure: Failure; place: Place; wish: CreateWorkspace };
/** Where the new workspace opens. */
type Place = { pane?: "files" | "terminal" };

interface Shell {
  creation: Creation;
  /** Creates a workspace and opens it; what the wish leaves out is the server's choice. */
  newWorkspace: (place?: Place, wish?: CreateWorkspace) => void;
  /**
   * The dialog that asks what a new workspace should have, with a template chosen already or none; null while it is closed. It stays until the workspace
   * is made. Opening and closing it forgets a creation that failed.
   */
  creating: { template: string | null } | null;
  setCreating: (creating: { template: string | null } | null) => void;
  dismissCreation: () => void;
  palette: boolean;
  setPalette: (open: boolean) => void;
  help: boolean;
  setHelp: (open: boolean) => void;
}

const ShellContext = createContext<Shell | null>(null);

export function useShell(): Shell {
  const shell = useContext(ShellContext);
  if (!shell) throw new Error("useShell outside of ShellProvider");
  return shell;
}

/** What every screen can open: a new workspace, the palette, the list of shortcuts. */
export function ShellProvider({ children }: { children: ReactNode }) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [creation, setCreation] = useState<Creation>({ state: "idle" });
  const [creating, setDialog] = useState<Shell["creating"]>(null);
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);

  const dismissCreation = useCallback(
    () => setCreation((old) => (old.state === "failed" ? { state: "idle" } : old)),
    [],
  );
  const setCreating = useCallback(
    (next: Shell["creating"]) => {
      setDialog(next);
      dismissCreation();
    },
    [dismissCreation],
  );
  const newWorkspace = useCallback(
    (place: Place = {}, wish: CreateWorkspace = {}) => {
      setCreation({ state: "creating", since: Date.now(), place, wish });
      client.workspaces
        .create(wish)
        .then(async (workspace: Workspace) => {
          queryClient.setQueryData(queries.workspace(workspace.name).queryKey, workspace);
          void queryClient.invalidateQueries({ queryKey: ["workspaces"] });
          await navigate({ to: "/workspaces/$name", params: { name: workspace.name }, search: place });
          setCreation({ state: "idle" });
          setDialog(null);
        })
        .catch((error: unknown) => setCreation({ state: "failed", failure: failureOf(error), place, wish }));
    },
    [navigate, queryClient],
  );

  const shell = useMemo<Shell>(
    () => ({
      creation,
      newWorkspace,
      creating,
      setCreating,
      dismissCreation,
      palette,
      setPalette,
      help,
      setHelp,
    }),
    [creation, newWorkspace, creating, setCreating, dismissCreation, palette, help],
  );
  return <ShellContext value={shell}>{children}</ShellContext>;
}

/** Starts a run and opens its conversation. */
export function useStartRun(): (run: CreateRun, idempotencyKey?: string) => Promise<void> {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  return useCallback(
    async (request, idempotencyKey) => {
      const run = await client.runs.create(request, idempotencyKey === undefined ? {} : { idempotencyKey });
      queryClient.setQueryData(queries.sessionRuns(run.session).queryKey, (old) => ({
        items: [run, ...(old?.items.filter((other) => other.id !== run.id) ?? [])],
        next: old?.next ?? null,
      }));
      void queryClient.invalidateQueries({ queryKey: ["sessions"] });
      void queryClient.invalidateQueries({ queryKey: ["runs"] });
      void queryClient.invalidateQueries({ queryKey: ["workspaces"] });
      await navigate({
        to: "/workspaces/$name",
        params: { name: run.workspaceName },
        search: (old) => ({ ...old, session: run.session }),
      });
    },
    [navigate, queryClient],
  );
}
