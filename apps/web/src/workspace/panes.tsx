import type { Session } from "@alcove/contract/api/run";
import type { Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CatchBoundary } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useState, type ReactNode } from "react";
import { client } from "../live/client.ts";
import { markStale } from "../live/refresh.ts";
import { useNotices } from "../shell/notices-context.tsx";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Arch } from "../ui/arch.tsx";
import { Button } from "../ui/button.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import type { Pane } from "./panes.ts";
import { loaded } from "./loaded.ts";
import { useWakeOnTouch } from "./use-waking.ts";
import { MachineText } from "../ui/machine-text.tsx";

const FilesPane = lazy(() => loaded(() => import("../files/files-pane.tsx")));
// A terminal measures its letters once, when it opens: the face has to be there by then, or have failed.
const terminalFace = () => document.fonts.load('1rem "JetBrains Mono Variable"').catch(() => []);
const TerminalPane = lazy(async () => {
  const [pane] = await Promise.all([loaded(() => import("../terminal/terminal-pane.tsx")), terminalFace()]);
  return pane;
});
const ChangesPane = lazy(() => loaded(() => import("../changes/changes-pane.tsx")));
const ComputerPane = lazy(() => loaded(() => import("../computer/computer-pane.tsx")));
const DeliverablesPane = lazy(() => loaded(() => import("../deliverables/deliverables-pane.tsx")));

/** The panes of a workspace. One that was opened stays as it is while another is shown. */
export function Panes({ workspace, session, pane }: { workspace: Workspace; session: Session | null; pane: Pane }) {
  const [visited, setVisited] = useState<ReadonlySet<Pane>>(new Set([pane]));
  if (!visited.has(pane)) setVisited(new Set([...visited, pane]));
  useFreshFiles(workspace, pane);
  const awake = workspace.box === "running" || workspace.box === "frozen";

  const contents: Record<Pane, ReactNode> = {
    files: <FilesPane workspace={workspace} />,
    terminal: <TerminalPane workspace={workspace} shown={pane === "terminal"} />,
    changes: <ChangesPane workspace={workspace} session={session} />,
    deliverables: <DeliverablesPane workspace={workspace} />,
    computer: <ComputerPane workspace={workspace} />,
  };
  const touch = useWakeOnTouch(workspace);
  return (
    <div className="panes" onPointerDownCapture={touch} onKeyDownCapture={touch}>
      {(["files", "terminal", "changes", "deliverables", "computer"] as const).map((id) =>
        visited.has(id) ? (
          <div
            key={id}
            id={`pane-${id}`}
            className="h-full min-h-0"
            role="tabpanel"
            aria-label={id}
            hidden={id !== pane}
          >
            <CatchBoundary getResetKey={() => id} errorComponent={PaneFault}>
              <Suspense fallback={<SkeletonRows rows={5} bare />}>
                {!awake && (id === "files" || id === "terminal") ? <Waking workspace={workspace} /> : contents[id]}
              </Suspense>
            </CatchBoundary>
          </div>
        ) : null,
      )}
    </div>
  );
}

/** What is wrong with one part leaves the others as they are. */
function PaneFault({ error }: { error: unknown }) {
  return (
    <div className="p-4">
      <FailureAlert failure={failureOf(error)} title="This part has a fault" fresh>
        <Button size="sm" onClick={() => location.reload()}>
          Load the page again
        </Button>
      </FailureAlert>
    </div>
  );
}

/** Listings and open files are read again when a run of this workspace has moved on, when its box has started anew, and when somebody comes back to them. */
function useFreshFiles({ id, name, box, startedAt }: Workspace, pane: Pane) {
  const notices = useNotices();
  const queryClient = useQueryClient();
  const refresh = useCallback(() => {
    void markStale(queryClient, { queryKey: ["folder", name] });
    void markStale(queryClient, { queryKey: ["file", name] });
  }, [queryClient, name]);
  useEffect(
    () =>
      notices?.listen((notice) => {
        if (notice.resource === "run" && notice.workspace === id) refresh();
      }),
    [notices, refresh, id],
  );
  const awakeSince = box === "running" ? startedAt : null;
  useEffect(() => {
    if (awakeSince === null) return;
    if (pane === "files") refresh();
    if (pane === "terminal") void markStale(queryClient, { queryKey: ["terminals", name] });
  }, [awakeSince, pane, refresh, queryClient, name]);
}

/** Files and terminals need the box: it wakes by a touch. */
function Waking({ workspace }: { workspace: Workspace }) {
  const queryClient = useQueryClient();
  const wake = useMutation({
    mutationFn: () => client.workspaces.start(workspace.id),
    onSettled: () =>
      Promise.all([["workspace"], ["workspaces"]].map((queryKey) => queryClient.invalidateQueries({ queryKey }))),
  });
  const starting = wake.isPending || workspace.state === "creating" || workspace.box === "starting";
  const failure = workspace.error ?? (wake.error ? failureOf(wake.error) : null);
  if (failure && !starting) {
    return (
      <div className="p-4">
        <FailureAlert failure={failure} fresh={wake.isError}>
          <Button size="sm" onClick={() => wake.mutate()}>
            Start again
          </Button>
        </FailureAlert>
      </div>
    );
  }
  return (
    <div className="nothing">
      <Arch state={starting ? "running" : "asleep"} />
      <h2>
        {starting
          ? workspace.state === "creating"
            ? `Making ${workspace.name}`
            : `Waking ${workspace.name}`
          : `${workspace.name} is asleep`}
      </h2>
      <p>{starting ? "Files and terminals are here in a moment." : <MachineText text={workspace.why} />}</p>
      {!starting && <Button onClick={() => wake.mutate()}>Wake it</Button>}
    </div>
  );
}
