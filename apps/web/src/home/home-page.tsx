import type { Run } from "@alcove/contract/api/run";
import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { useState } from "react";
import { Composer } from "../chat/composer.tsx";
import { countWord, plural } from "../format/format.ts";
import { queries } from "../live/queries.ts";
import { useShell } from "../shell/context.tsx";
import { usePageTitle } from "../shell/page-title.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { FirstRun } from "./first-run.tsx";
import { Needs } from "./needs.tsx";
import type { Overview } from "./overview.ts";
import { RunRow } from "./run-row.tsx";
import { SpaceList } from "./space-list.tsx";
import { useOverview } from "./use-overview.ts";

/** What needs somebody, what runs, what is done, what there is; and the composer. */
export function HomePage() {
  usePageTitle("Home");
  const overview = useOverview();
  const agents = useQuery(queries.agents());
  const workspaces = useQuery(queries.workspaces());
  const runs = useQuery(queries.recentRuns());
  const connected = agents.data?.items.some((agent) => agent.provider !== null);

  const begun = (runs.data?.items.length ?? 0) > 0;
  if (
    agents.data &&
    workspaces.data &&
    runs.data &&
    !begun &&
    (connected === false || workspaces.data.items.length === 0)
  ) {
    return <FirstRun connected={connected === true} workspace={workspaces.data.items[0] ?? null} />;
  }
  return (
    <main className="home" id="main">
      <div className="home__scroll">
        <div className="home__list" tabIndex={0} role="region" aria-label="Overview">
          <Hello overview={overview} />
          {runs.isError && !runs.data && <FailureAlert failure={failureOf(runs.error)} />}
          {overview.loading && <SkeletonRows rows={4} />}
          <Needs needs={overview.needs} putAside={overview.putAside} />
          <Runs id="running" title="Running" runs={overview.running} />
          <Runs id="finished" title="Finished" runs={overview.finished} first={8} />
          {!overview.loading && !begun && (
            <p className="quiet">
              Runs appear here as soon as you say what should be done. They go on when you close the page.
            </p>
          )}
        </div>
        <aside className="home__side" aria-label="Workspaces">
          <SpaceList overview={overview} />
        </aside>
      </div>
      <div className="home__dock">
        <Composer place="home" />
      </div>
    </main>
  );
}

function Hello({ overview }: { overview: Overview & { loading: boolean } }) {
  const { setPalette } = useShell();
  return (
    <header className="hello">
      <h1>{overview.loading ? "Home" : headline(overview)}</h1>
      <p className="soft">{overview.loading ? " " : subline(overview)}</p>
      <div className="hello__search">
        <IconButton size="icon" label="Search" onClick={() => setPalette(true)}>
          <Search className="icon" />
        </IconButton>
      </div>
    </header>
  );
}

function headline({ needs, running }: Overview): string {
  if (needs.length > 0) return `${countWord(needs.length)} ${needs.length === 1 ? "thing needs" : "things need"} you`;
  return running.length > 0 ? "Nothing needs you" : "All quiet";
}

function subline({ running, finished }: Overview): string {
  const working =
    running.length === 0
      ? "No agent is working"
      : `${countWord(running.length)} ${running.length === 1 ? "agent is" : "agents are"} working`;
  const since = Date.now() - 24 * 3_600_000;
  const done = finished.filter(
    (run) => run.state === "succeeded" && Date.parse(run.endedAt ?? run.createdAt) > since,
  ).length;
  return done === 0
    ? `${working}.`
    : `${working}. ${countWord(done)} ${plural(done, "run").split(" ")[1] ?? ""} finished in the last day.`;
}

function Runs({ id, title, runs, first = 50 }: { id: string; title: string; runs: Run[]; first?: number }) {
  const [all, setAll] = useState(false);
  if (runs.length === 0) return null;
  const shown = all ? runs : runs.slice(0, first);
  return (
    <section className="section" aria-labelledby={id}>
      <div className="section__head">
        <h2 id={id}>{title}</h2> <span className="count">{runs.length}</span>
        <span className="grow" />
        {shown.length < runs.length && (
          <Button size="sm" variant="ghost" onClick={() => setAll(true)}>
            Show all
          </Button>
        )}
      </div>
      <div className="group">
        {shown.map((run) => (
          <RunRow key={run.id} run={run} />
        ))}
      </div>
    </section>
  );
}
