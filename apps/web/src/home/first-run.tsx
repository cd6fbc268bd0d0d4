import type { Workspace } from "@alcove/contract/api/workspace";
import { Link, useNavigate } from "@tanstack/react-router";
import { FolderUp, SquareTerminal } from "lucide-react";
import { Composer } from "../chat/composer.tsx";
import { formatBytes, formatDuration } from "../format/format.ts";
import { useShell } from "../shell/context.tsx";
import { useShortcut } from "../shell/shortcuts.ts";
import { Arch } from "../ui/arch.tsx";
import { buttonClass } from "../ui/button.tsx";
import { Kbd } from "../ui/kbd.tsx";
import { archOf } from "./overview.ts";

const nothing = { needs: [], running: [], finished: [] };

/** Home before anything has run: what to connect, and what works without it. */
export function FirstRun({ connected, workspace }: { connected: boolean; workspace: Workspace | null }) {
  const { newWorkspace } = useShell();
  const navigate = useNavigate();
  const open = (pane: "terminal" | "files") => {
    if (workspace) void navigate({ to: "/workspaces/$name", params: { name: workspace.name }, search: { pane } });
    else newWorkspace({ pane });
  };
  useShortcut("t", () => open("terminal"));
  useShortcut("u", () => open("files"));
  return (
    <main className="home home--first" id="main">
      <div className="home__scroll">
        <div className="home__list" tabIndex={0} role="region" aria-label="First steps">
          <header className="hello">
            <Arch state={workspace ? archOf(workspace, nothing) : "idle"} className="hello__arch" />
            <h1>{workspace ? "Your computer is ready" : "A computer for every task"}</h1>
            <p className="soft">
              {workspace ? (
                <Ready workspace={workspace} />
              ) : (
                "A workspace starts in a moment, keeps its files, and can be thrown away."
              )}
            </p>
          </header>
          {!connected && (
            <section className="connect" aria-labelledby="connect">
              <div className="grow">
                <h2 id="connect">Connect a model and agents can work here</h2>
                <p className="soft">
                  An Anthropic or OpenAI key, or the address of any model that speaks one of their protocols.
                </p>
              </div>
              <Link className={buttonClass({ variant: "default" })} to="/settings/agents">
                Connect a model
              </Link>
            </section>
          )}
          <section className="section" aria-labelledby="now">
            <div className="section__head">
              <h2 id="now">{connected ? "Start here" : "Works without one"}</h2>
            </div>
            <div className="group">
              {!workspace && (
                <button className="start" type="button" onClick={() => newWorkspace()}>
                  <Arch state="idle" />
                  <span className="grow">
                    <b className="strong">New workspace</b>
                    <span className="soft">Files, terminal and network of its own</span>
                  </span>
                  <Kbd keys="c" />
                </button>
              )}
              <button className="start" type="button" onClick={() => open("terminal")}>
                <SquareTerminal className="icon" />
                <span className="grow">
                  <b className="strong">Open a terminal</b>
                  <span className="soft">Your own Linux; what you install stays</span>
                </span>
                <Kbd keys="t" />
              </button>
              <button className="start" type="button" onClick={() => open("files")}>
                <FolderUp className="icon" />
                <span className="grow">
                  <b className="strong">Upload files</b>
                  <span className="soft">Notes, tables, PDFs: agents read them later</span>
                </span>
                <Kbd keys="u" />
              </button>
            </div>
          </section>
        </div>
      </div>
      <div className="home__dock">
        <Composer place="home" />
      </div>
    </main>
  );
}

function Ready({ workspace }: { workspace: Workspace }) {
  const { cpus, memoryBytes, diskBytes } = workspace.limits;
  const facts = [
    cpus && `${cpus} ${cpus === 1 ? "core" : "cores"}`,
    memoryBytes && `${formatBytes(memoryBytes)} of memory`,
    diskBytes && `${formatBytes(diskBytes)} of disk`,
  ].filter(Boolean);
  return (
    <>
      <b className="strong">{workspace.name}</b>
      {workspace.startMs === null ? " is there" : ` started in ${formatDuration(workspace.startMs)}`}
      {facts.length > 0 ? `: ${facts.join(", ")}.` : "."}
    </>
  );
}
