import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { formatBytes } from "../format/format.ts";
import { queries } from "../live/queries.ts";
import { useShell } from "../shell/context.tsx";
import { Arch } from "../ui/arch.tsx";
import { Button, IconButton } from "../ui/button.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { whyOf } from "../workspace/why.ts";
import { archOf, type Overview } from "./overview.ts";
import { MachineText } from "../ui/machine-text.tsx";

/** Figures of many at a glance change more slowly than those of one that is looked at. */
const figuresMs = 10_000;

/** Workspaces and why each is awake. */
export function SpaceList({ overview }: { overview: Overview }) {
  const { newWorkspace } = useShell();
  const workspaces = useQuery({
    ...queries.workspaces(),
    refetchInterval: (query) => (query.state.data?.items.some(({ box }) => box === "running") ? figuresMs : false),
  });
  const agents = useQuery(queries.agents());
  const items = workspaces.data?.items ?? [];
  const awake = items.filter((workspace) => workspace.box === "running").length;
  const measured = items.some((workspace) => workspace.usage);
  return (
    <section className="section" aria-labelledby="spaces">
      <div className="section__head">
        <h2 id="spaces">Workspaces</h2>
        {items.length > 0 && (
          <span className="count">
            {awake} of {items.length} awake
          </span>
        )}
        <span className="grow" />
        {measured && <span className="hint">CPU, memory</span>}
        <IconButton label="New workspace" shortcut="c" onClick={() => newWorkspace()}>
          <Plus className="icon" />
        </IconButton>
      </div>
      {workspaces.isPending && <SkeletonRows rows={3} bare />}
      {workspaces.data && items.length === 0 && (
        <div className="grid gap-3">
          <p className="soft">A workspace is a computer of its own, with files, a terminal and agents.</p>
          <Button onClick={() => newWorkspace()}>New workspace</Button>
        </div>
      )}
      <ul className="spaces">
        {items.map((workspace) => {
          const state = archOf(workspace, overview);
          const tone = state === "waiting" ? "is-waiting" : state === "failed" ? "is-failed" : "quiet";
          return (
            <li key={workspace.id}>
              <Link className="space" to="/workspaces/$name" params={{ name: workspace.name }}>
                <Arch state={state} />
                <span className="space__text">
                  <b className="cut">{workspace.name}</b>
                  <span className={`cut ${tone}`}>
                    <MachineText text={whyOf(workspace, overview, agents.data?.items ?? [])} />
                  </span>
                </span>
                <span className="space__load num">
                  {workspace.usage &&
                    typeof workspace.usage.cpuPercent === "number" &&
                    `${Math.round(workspace.usage.cpuPercent)} %`}
                  <br />
                  {workspace.usage &&
                    typeof workspace.usage.memoryBytes === "number" &&
                    formatBytes(workspace.usage.memoryBytes)}
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
