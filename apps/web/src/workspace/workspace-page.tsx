import type { Session } from "@alcove/contract/api/run";
import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { Link, Navigate, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useState, type ReactNode } from "react";
import { Group, Panel, Separator, useDefaultLayout } from "react-resizable-panels";
import { Chat } from "../chat/chat.tsx";
import { queries } from "../live/queries.ts";
import { usePhone } from "../shell/media.ts";
import { usePageTitle } from "../shell/page-title.ts";
import { useShortcut } from "../shell/shortcuts.ts";
import { readStored, writeStored } from "../shell/stored.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button, buttonClass } from "../ui/button.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { PaneTabs, PhoneTabs } from "./pane-tabs.tsx";
import { Panes } from "./panes.tsx";
import type { Pane } from "./panes.ts";
import { StatusBar } from "./status-bar.tsx";
import { TellHappenings } from "./tell-happenings.tsx";
import { TopBar } from "./top-bar.tsx";
import { useWakeOnOpen } from "./use-waking.ts";

const figuresMs = 2_000;

/** A workspace: the conversation on one side, its files, terminal, changes and deliverables on the other. */
export function WorkspacePage() {
  const { name } = useParams({ from: "/frame/workspaces/$name" });
  const workspace = useQuery({
    ...queries.workspace(name),
    // Figures are asked for while somebody looks; asking wakes nothing.
    refetchInterval: ({ state }) => (state.data?.box === "running" && !isGone(state.error) ? figuresMs : false),
  });
  usePageTitle(name);
  const gone = isGone(workspace.error) ? workspace.data : undefined;
  const renamed = useQuery({ ...queries.workspace(gone?.id ?? ""), enabled: gone !== undefined, gcTime: 0 });
  if (gone && renamed.data && renamed.data.name !== name)
    return <Navigate to="/workspaces/$name" params={{ name: renamed.data.name }} search={(old) => old} replace />;
  if (workspace.data && !gone) return <Loaded key={workspace.data.id} workspace={workspace.data} />;
  return (
    <main className="list-page" id="main" tabIndex={0}>
      {workspace.isError ? (
        <FailureAlert
          failure={failureOf(workspace.error)}
          title={gone ? `"${name}" was deleted` : `"${name}" cannot be opened`}
        >
          <Button size="sm" onClick={() => void workspace.refetch()}>
            Try again
          </Button>
          <Link className={buttonClass({ size: "sm", variant: "ghost" })} to="/workspaces">
            All workspaces
          </Link>
        </FailureAlert>
      ) : (
        <SkeletonRows rows={6} bare />
      )}
    </main>
  );
}

/** Somebody deleted it, or gave it another name. */
const isGone = (error: Error | null) => error !== null && failureOf(error).code === "not_found";

function useSession(
  workspace: Workspace,
  wanted: string | undefined,
): { sessions: Session[]; session: Session | null; known: boolean } {
  const query = useQuery(queries.sessions(workspace.name));
  const sessions = (query.data?.items ?? []).toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  if (wanted === "new") return { sessions, session: null, known: true };
  const session =
    sessions.find((other) => other.id === wanted) ?? (wanted === undefined ? (sessions[0] ?? null) : null);
  return { sessions, session, known: query.isSuccess };
}

function Loaded({ workspace }: { workspace: Workspace }) {
  const search = useSearch({ from: "/frame/workspaces/$name" });
  const navigate = useNavigate({ from: "/workspaces/$name" });
  const phone = usePhone();
  const { sessions, session, known } = useSession(workspace, search.session);
  useWakeOnOpen(workspace);
  const [remembered] = useState(() => readStored(`pane.${workspace.id}`));
  const chosen =
    search.pane ??
    (phone
      ? "chat"
      : remembered === "terminal" ||
          remembered === "changes" ||
          remembered === "deliverables" ||
          remembered === "computer"
        ? remembered
        : "files");
  const pane: Pane = chosen === "chat" ? "files" : chosen;

  const show = useCallback(
    (next: Pane | "chat") => {
      if (next !== "chat") writeStored(`pane.${workspace.id}`, next);
      void navigate({ search: (old) => ({ ...old, pane: next }), replace: true });
    },
    [navigate, workspace.id],
  );
  useShortcut("mod+1", () => show("files"));
  useShortcut("mod+2", () => show("terminal"));
  useShortcut("mod+3", () => show("changes"));
  useShortcut("mod+4", () => show("deliverables"));
  useShortcut("mod+5", () => show("computer"));
  useShortcut("mod+j", () => show(pane === "terminal" && !phone ? "files" : "terminal"));

  const openDeliverable = useCallback(
    (path: string) =>
      void navigate({ search: (old) => ({ ...old, pane: "deliverables" as const, path, run: undefined }) }),
    [navigate],
  );

  const chat = (
    <Chat
      key={session?.id ?? "new"}
      workspace={workspace}
      session={session}
      known={known}
      openPath={openDeliverable}
      onOtherAgent={() => void navigate({ search: (old) => ({ ...old, session: "new" }) })}
    />
  );
  const panel = (
    <section className="panel" aria-label="Workspace">
      {!phone && <PaneTabs workspace={workspace} pane={pane} show={show} />}
      <Panes workspace={workspace} session={session} pane={pane} />
    </section>
  );

  return (
    <main className="work" id="main">
      <TopBar workspace={workspace} sessions={sessions} session={session} />
      <div className="work__main">
        {phone ? (
          <>
            <div className="h-full" hidden={chosen !== "chat"}>
              {chat}
            </div>
            <div className="h-full" hidden={chosen === "chat"}>
              {panel}
            </div>
          </>
        ) : (
          <Split left={chat} right={panel} />
        )}
      </div>
      <StatusBar workspace={workspace} session={session} />
      <TellHappenings key={workspace.id} workspace={workspace} />
      {phone && <PhoneTabs workspace={workspace} shown={chosen} show={show} />}
    </main>
  );
}

function Split({ left, right }: { left: ReactNode; right: ReactNode }) {
  const { defaultLayout, onLayoutChanged } = useDefaultLayout({ id: "alcove.split", panelIds: ["chat", "panel"] });
  return (
    <Group orientation="horizontal" defaultLayout={defaultLayout} onLayoutChanged={onLayoutChanged} className="h-full">
      <Panel id="chat" defaultSize="41%" minSize="22rem">
        {left}
      </Panel>
      <Separator className="work__grip" aria-label="Width of the conversation" />
      <Panel id="panel" minSize="22rem">
        {right}
      </Panel>
    </Group>
  );
}
