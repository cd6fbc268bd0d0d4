import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import {
  CircleHelp,
  Cpu,
  HeartPulse,
  House,
  SlidersHorizontal,
  LogOut,
  MessageSquare,
  Plus,
  SquareTerminal,
  SunMoon,
  User,
} from "lucide-react";
import type { ReactNode } from "react";
import { archOf, archWord } from "../home/overview.ts";
import { useOverview } from "../home/use-overview.ts";
import { queries } from "../live/queries.ts";
import { signOut } from "../sign-in/sign-in.ts";
import { Arch } from "../ui/arch.tsx";
import { BareDialog } from "../ui/dialog.tsx";
import { Kbd } from "../ui/kbd.tsx";
import { matchWords } from "../ui/match-words.ts";
import { useShell } from "./context.tsx";
import { useTheme } from "./theme.ts";

/** Search and commands. */
export default function Palette() {
  const { palette, setPalette, setHelp, newWorkspace, setCreating } = useShell();
  const navigate = useNavigate();
  const overview = useOverview();
  const workspaces = useQuery(queries.workspaces());
  const runs = useQuery(queries.recentRuns());
  const [theme, setTheme] = useTheme();
  const leave = (go: () => void) => () => {
    setPalette(false);
    go();
  };
  const nextTheme = theme === "dark" ? "light" : "dark";

  return (
    <BareDialog open={palette} onOpenChange={setPalette} title="Search and commands">
      <Command label="Search and commands" loop filter={matchWords}>
        <Command.Input className="palette__input" placeholder="Search or command" autoFocus />
        <Command.List className="palette__scroll" label="Results">
          <Command.Empty className="palette__label">Nothing of that name</Command.Empty>
          <Command.Group heading="Go to">
            <Entry label="Home" mark={<House className="icon" />} onSelect={leave(() => void navigate({ to: "/" }))} />
            {workspaces.data?.items.map((workspace) => {
              const state = archOf(workspace, overview);
              return (
                <Entry
                  key={workspace.id}
                  label={workspace.name}
                  note={archWord(state)}
                  mark={<Arch state={state} />}
                  onSelect={leave(() => void navigate({ to: "/workspaces/$name", params: { name: workspace.name } }))}
                />
              );
            })}
            <Entry
              label="Settings: Agents and models"
              mark={<Cpu className="icon" />}
              onSelect={leave(() => void navigate({ to: "/settings/agents" }))}
            />
            <Entry
              label="Settings: Account"
              mark={<User className="icon" />}
              onSelect={leave(() => void navigate({ to: "/settings/account" }))}
            />
            <Entry
              label="Settings: Health"
              mark={<HeartPulse className="icon" />}
              onSelect={leave(() => void navigate({ to: "/settings/health" }))}
            />
          </Command.Group>
          <Command.Group heading="Do">
            <Entry
              label="New workspace"
              shortcut="c"
              mark={<Plus className="icon" />}
              onSelect={leave(() => newWorkspace())}
            />
            <Entry
              label="New workspace with a template, limits or network"
              mark={<SlidersHorizontal className="icon" />}
              onSelect={leave(() => setCreating({ template: null }))}
            />
            {workspaces.data?.items.map((workspace) => (
              <Entry
                key={workspace.id}
                label={`Open a terminal in ${workspace.name}`}
                mark={<SquareTerminal className="icon" />}
                onSelect={leave(
                  () =>
                    void navigate({
                      to: "/workspaces/$name",
                      params: { name: workspace.name },
                      search: { pane: "terminal" },
                    }),
                )}
              />
            ))}
            <Entry
              label={`Switch to the ${nextTheme} theme`}
              mark={<SunMoon className="icon" />}
              onSelect={leave(() => setTheme(nextTheme))}
            />
            <Entry
              label="All shortcuts"
              shortcut="?"
              mark={<CircleHelp className="icon" />}
              onSelect={leave(() => setHelp(true))}
            />
            <Entry label="Sign out" mark={<LogOut className="icon" />} onSelect={leave(() => void signOut())} />
          </Command.Group>
          <Command.Group heading="Conversations">
            {runs.data?.items.slice(0, 40).map((run) => (
              <Entry
                key={run.id}
                id={run.id}
                label={run.title}
                note={run.workspaceName}
                mark={<MessageSquare className="icon" />}
                onSelect={leave(
                  () =>
                    void navigate({
                      to: "/workspaces/$name",
                      params: { name: run.workspaceName },
                      search: { session: run.session },
                    }),
                )}
              />
            ))}
          </Command.Group>
        </Command.List>
      </Command>
    </BareDialog>
  );
}

function Entry({
  id,
  label,
  note,
  shortcut,
  mark,
  onSelect,
}: {
  id?: string;
  label: string;
  note?: string;
  shortcut?: string;
  mark: ReactNode;
  onSelect: () => void;
}) {
  return (
    <Command.Item className="option" value={`${label} ${id ?? ""}`} onSelect={onSelect}>
      {mark}
      <span className="cut grow">{label}</span>
      {note && <span className="quiet">{note}</span>}
      {shortcut && <Kbd keys={shortcut} />}
    </Command.Item>
  );
}
