import type { Session } from "@alcove/contract/api/run";
import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChevronLeft, Ellipsis, MessageSquarePlus } from "lucide-react";
import { archOf, stateWord } from "../home/overview.ts";
import { useOverview } from "../home/use-overview.ts";
import { queries } from "../live/queries.ts";
import { Arch } from "../ui/arch.tsx";
import { Bot } from "../ui/avatar.tsx";
import { IconButton, buttonClass } from "../ui/button.tsx";
import { Pick } from "../ui/pick.tsx";
import { WorkspaceMenu } from "./workspace-menu.tsx";

/** Where one is: the workspace and the conversation; both can be switched here. */
export function TopBar({
  workspace,
  sessions,
  session,
}: {
  workspace: Workspace;
  sessions: Session[];
  session: Session | null;
}) {
  const overview = useOverview();
  const navigate = useNavigate({ from: "/workspaces/$name" });
  const agents = useQuery(queries.agents());
  const state = archOf(workspace, overview);
  const monogram = (agent: string) =>
    agents.data?.items.find((other) => other.name === agent)?.monogram ?? agent.slice(0, 2);
  const open = (id: string) =>
    void navigate({
      search: (old) => ({ ...old, session: id, pane: old.pane === "chat" ? ("chat" as const) : old.pane }),
    });
  const options = sessions.map((other) => ({
    value: other.id,
    label: other.title,
    mark: <Bot monogram={monogram(other.agent)} />,
  }));
  return (
    <header className="topbar">
      <Link className={buttonClass({ variant: "ghost", size: "icon" }, "topbar__back")} to="/" aria-label="Home">
        <ChevronLeft className="icon" />
      </Link>
      <h1 className="crumb">
        <Arch state={state} />
        <span className="cut">{workspace.name}</span>
        <span className="sr">, {stateWord(workspace, state)}</span>
      </h1>
      {sessions.length > 0 && (
        <Pick
          label="Conversation"
          value={session?.id ?? "new"}
          options={options}
          onChange={open}
          className="topbar__session"
        >
          <span className="cut">{session?.title ?? "New conversation"}</span>
        </Pick>
      )}
      <span className="grow" />
      {session !== null && (
        <IconButton label="New conversation" onClick={() => open("new")}>
          <MessageSquarePlus className="icon" />
        </IconButton>
      )}
      <WorkspaceMenu
        workspace={workspace}
        trigger={
          <IconButton label={`More about ${workspace.name}`}>
            <Ellipsis className="icon" />
          </IconButton>
        }
      />
    </header>
  );
}
