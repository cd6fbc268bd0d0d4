import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ellipsis, Plus, SlidersHorizontal } from "lucide-react";
import { formatAgo, formatBytes, plural } from "../format/format.ts";
import { queries } from "../live/queries.ts";
import { useShell } from "../shell/context.tsx";
import { useNow } from "../shell/clock.ts";
import { usePageTitle } from "../shell/page-title.ts";
import { Arch } from "../ui/arch.tsx";
import { Button, IconButton } from "../ui/button.tsx";
import { Kbd } from "../ui/kbd.tsx";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Empty, SkeletonRows } from "../ui/skeleton.tsx";
import { WorkspaceMenu } from "../workspace/workspace-menu.tsx";
import { whyOf } from "../workspace/why.ts";
import { ImportButton, ImportNote, useImport } from "./import-button.tsx";
import { archOf, stateWord, type Overview } from "./overview.ts";
import { useOverview } from "./use-overview.ts";
import { MachineText } from "../ui/machine-text.tsx";

/** Every workspace, with what can be done to it. */
export function WorkspacesPage() {
  usePageTitle("Workspaces");
  const { newWorkspace, setCreating } = useShell();
  const overview = useOverview();
  const workspaces = useQuery(queries.workspaces());
  const importing = useImport();
  const items = workspaces.data?.items ?? [];
  return (
    <main className="list-page" id="main" tabIndex={0}>
      <header className="list-page__head">
        <div className="settings__head grow">
          <h1>Workspaces</h1>
          <p className="soft">
            {items.length === 0
              ? "Each is a computer of its own."
              : `${plural(items.length, "computer")}, ${items.filter((item) => item.box === "running").length} awake.`}
          </p>
        </div>
        <ImportButton importing={importing} />
        <Button variant="default" onClick={() => newWorkspace()}>
          <Plus className="icon" /> New workspace <Kbd keys="c" />
        </Button>
        <IconButton
          label="New workspace with a template, limits or network"
          variant="outline"
          size="icon"
          onClick={() => setCreating({ template: null })}
        >
          <SlidersHorizontal className="icon" />
        </IconButton>
      </header>
      <ImportNote importing={importing} />
      {workspaces.isPending && <SkeletonRows rows={4} />}
      {workspaces.isError && !workspaces.data && <FailureAlert failure={failureOf(workspaces.error)} />}
      {workspaces.data && items.length === 0 && (
        <Empty mark={<Arch state="asleep" />} title="No workspace yet">
          Press <Kbd keys="c" /> or the button above. It is ready in about a second.
        </Empty>
      )}
      {items.length > 0 && (
        <ul className="group">
          {items.map((workspace) => (
            <Row key={workspace.id} workspace={workspace} overview={overview} />
          ))}
        </ul>
      )}
    </main>
  );
}

function Row({ workspace, overview }: { workspace: Workspace; overview: Overview }) {
  const now = useNow(60_000);
  const agents = useQuery(queries.agents());
  const state = archOf(workspace, overview);
  const disk = workspace.usage?.diskBytes;
  const memory = workspace.usage?.memoryBytes;
  return (
    <li className="setting">
      <Arch state={state} />
      <div className="setting__text">
        <Link to="/workspaces/$name" params={{ name: workspace.name }}>
          <b className="strong">{workspace.name}</b>
        </Link>
        <span className={state === "failed" ? "is-failed" : state === "waiting" ? "is-waiting" : "quiet"}>
          <MachineText text={whyOf(workspace, overview, agents.data?.items ?? [])} />
        </span>
      </div>
      <span className="setting__fact num">
        {typeof memory === "number"
          ? formatBytes(memory)
          : typeof disk === "number"
            ? `${formatBytes(disk)} of disk`
            : formatAgo(workspace.createdAt, now)}
      </span>
      <span className={state === "asleep" ? "state quiet" : state === "failed" ? "state is-failed" : "state"}>
        {stateWord(workspace, state)}
      </span>
      <WorkspaceMenu
        workspace={workspace}
        trigger={
          <IconButton label={`More about ${workspace.name}`}>
            <Ellipsis className="icon" />
          </IconButton>
        }
      />
    </li>
  );
}
