import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { House, LayoutGrid, Plus, Search, Settings2 } from "lucide-react";
import { formatCost } from "../format/format.ts";
import { archOf, archWord, spentToday } from "../home/overview.ts";
import { useOverview } from "../home/use-overview.ts";
import { queries } from "../live/queries.ts";
import { Arch, Brand } from "../ui/arch.tsx";
import { Face } from "../ui/avatar.tsx";
import { IconButton } from "../ui/button.tsx";
import { Kbd } from "../ui/kbd.tsx";
import { Tooltip } from "../ui/tooltip.tsx";
import { useNow } from "./clock.ts";
import { useShell } from "./context.tsx";

/** The wide side: places, workspaces with their states, what the day cost. */
export function Sidebar() {
  const { setPalette, newWorkspace } = useShell();
  const overview = useOverview();
  const workspaces = useQuery(queries.workspaces());
  const me = useQuery(queries.me());
  return (
    <nav className="sidebar" aria-label="Main">
      <Link className="brandline" to="/">
        <Brand /> <b>Alcove</b>
      </Link>
      <button className="find" type="button" onClick={() => setPalette(true)}>
        <Search className="icon" />
        <span className="grow">Search or command</span> <Kbd keys="mod+k" />
      </button>
      <div className="sidebar__group">
        <Link className="nav" to="/" activeOptions={{ exact: true }}>
          <House className="icon" />
          <span className="grow">Home</span>
          {overview.needs.length > 0 && <span className="count count--waiting">{overview.needs.length}</span>}
        </Link>
        <Link className="nav" to="/workspaces" activeOptions={{ exact: true }}>
          <LayoutGrid className="icon" />
          <span className="grow">Workspaces</span>
        </Link>
      </div>
      <div className="sidebar__group sidebar__group--fill">
        <div className="sidebar__label">
          <h2>Workspaces</h2>
          <IconButton label="New workspace" shortcut="c" onClick={() => newWorkspace()}>
            <Plus className="icon" />
          </IconButton>
        </div>
        {workspaces.data?.items.slice(0, 30).map((workspace) => {
          const state = archOf(workspace, overview);
          return (
            <Link className="nav" key={workspace.id} to="/workspaces/$name" params={{ name: workspace.name }}>
              <Arch state={state} />
              <span className="cut">{workspace.name}</span>
              <span className="sr">, {archWord(state)}</span>
            </Link>
          );
        })}
      </div>
      <div className="sidebar__foot">
        <Spent />
        <Link className="nav" to="/settings/agents" data-section="settings">
          <Settings2 className="icon" />
          <span className="grow">Settings</span>
        </Link>
        {me.data && (
          <Link className="nav" to="/settings/account">
            <Face name={me.data.name} />
            <span className="grow cut">{me.data.name}</span>
          </Link>
        )}
      </div>
    </nav>
  );
}

function Spent() {
  const runs = useQuery(queries.recentRuns());
  const now = useNow(600_000);
  if (!runs.data) return null;
  const spent = spentToday(runs.data.items, runs.data.next === null, now);
  if (spent === null || spent === 0) return null;
  return (
    <div className="spend">
      <span className="soft">Spent today</span>
      <span className="grow" />
      <span className="num">{formatCost(spent)}</span>
    </div>
  );
}

/** The narrow side of a workspace's page. */
export function Rail() {
  const { setPalette, newWorkspace } = useShell();
  const { needs } = useOverview();
  const me = useQuery(queries.me());
  const home = needs.length > 0 ? `Home, ${needs.length} need you` : "Home";
  return (
    <nav className="rail" aria-label="Main">
      <Link className="rail__item" to="/" aria-label="Alcove, home">
        <Brand />
      </Link>
      <Tooltip label="Search or run a command" shortcut="mod+k">
        <button
          className="rail__item"
          type="button"
          aria-label="Search or run a command"
          onClick={() => setPalette(true)}
        >
          <Search className="icon" />
        </button>
      </Tooltip>
      <Tooltip label={home}>
        <Link className="rail__item" to="/" aria-label={home}>
          <House className="icon" />
          {needs.length > 0 && <span className="rail__badge">{needs.length}</span>}
        </Link>
      </Tooltip>
      <Tooltip label="Workspaces">
        <Link className="rail__item" to="/workspaces" activeOptions={{ exact: true }} aria-label="Workspaces">
          <LayoutGrid className="icon" />
        </Link>
      </Tooltip>
      <Tooltip label="New workspace" shortcut="c">
        <button className="rail__item" type="button" aria-label="New workspace" onClick={() => newWorkspace()}>
          <Plus className="icon" />
        </button>
      </Tooltip>
      <span className="grow" />
      <Tooltip label="Settings">
        <Link className="rail__item" to="/settings/agents" aria-label="Settings">
          <Settings2 className="icon" />
        </Link>
      </Tooltip>
      {me.data && (
        <Tooltip label={me.data.name}>
          <Link className="rail__item" to="/settings/account">
            <Face name={me.data.name} />
            <span className="sr">{me.data.name}</span>
          </Link>
        </Tooltip>
      )}
    </nav>
  );
}

/** The tab bar of a phone. */
export function Sections() {
  const { needs } = useOverview();
  return (
    <nav className="tabbar" aria-label="Sections">
      <Link to="/" activeOptions={{ exact: true }}>
        <House className="icon" />
        {needs.length > 0 && <span className="tabbar__badge">{needs.length}</span>}
        Home
      </Link>
      <Link to="/workspaces" activeOptions={{ exact: true }}>
        <LayoutGrid className="icon" />
        Workspaces
      </Link>
      <Link to="/settings">
        <Settings2 className="icon" />
        Settings
      </Link>
    </nav>
  );
}
