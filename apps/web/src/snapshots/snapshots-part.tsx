import type { Run } from "@alcove/contract/api/run";
import type { Snapshot, Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Camera } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { usePendingDeletions } from "./pending-deletions.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Input } from "../ui/input.tsx";
import { Empty, SkeletonRows } from "../ui/skeleton.tsx";
import { Compare } from "./compare.tsx";
import { GraphCell } from "./graph-cell.tsx";
import { graphOf, widthOf } from "./graph.ts";
import { SnapshotHead } from "./snapshot-head.tsx";
import { dayTime, snapshotTitle } from "./snapshot-words.ts";

/** The states that the workspace's files can go back to, and what lies between them. */
export default function SnapshotsPart({ workspace }: { workspace: Workspace }) {
  const snapshots = useQuery(queries.snapshots(workspace.id));
  const runs = useQuery(queries.workspaceRuns(workspace.name));
  const [chosen, setChosen] = useState<string | null>(null);
  const deletions = usePendingDeletions(workspace);
  if (!snapshots.data)
    return snapshots.isError ? (
      <div className="p-4">
        <FailureAlert failure={failureOf(snapshots.error)} />
      </div>
    ) : (
      <SkeletonRows rows={5} bare />
    );
  const items = snapshots.data.items.filter((snapshot) => !deletions.pending.has(snapshot.id));
  const current = items.find((snapshot) => snapshot.id === chosen) ?? items[0] ?? null;
  return (
    <div className="pane pane--snapshots">
      <div className="snapshots__list">
        <TakeForm workspace={workspace} onTaken={setChosen} />
        <Timeline
          workspace={workspace}
          items={items}
          runs={runs.data?.items ?? []}
          current={current}
          show={setChosen}
        />
      </div>
      {current ? (
        <div className="snapshots__detail" tabIndex={0} role="region" aria-label="Snapshot">
          <SnapshotHead
            key={current.id}
            workspace={workspace}
            snapshot={current}
            title={snapshotTitle(current, items, runs.data?.items ?? [])}
            onDelete={() => deletions.remove(current)}
          />
          <Compare
            key={`compare ${current.id}`}
            workspace={workspace}
            from={current}
            others={items.filter((other) => other !== current)}
            titleOf={(snapshot) => snapshotTitle(snapshot, items, runs.data?.items ?? [])}
          />
        </div>
      ) : (
        <Empty title="No snapshot yet">
          A snapshot keeps all files as they are at a moment. Each turn of an agent takes one by itself.
        </Empty>
      )}
    </div>
  );
}

function TakeForm({ workspace, onTaken }: { workspace: Workspace; onTaken: (snapshot: string) => void }) {
  const queryClient = useQueryClient();
  const [name, setName] = useState("");
  const take = useMutation({
    mutationFn: () => client.workspaces.takeSnapshot(workspace.id, name.trim() === "" ? {} : { name: name.trim() }),
    onSuccess: async (snapshot) => {
      setName("");
      await queryClient.invalidateQueries({ queryKey: ["snapshots"] });
      onTaken(snapshot.id);
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!take.isPending) take.mutate();
  };
  return (
    <form className="take" onSubmit={submit}>
      <Input
        aria-label="Name of the snapshot"
        placeholder="Name, if you like"
        maxLength={80}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <Button type="submit" size="sm" aria-busy={take.isPending}>
        <Camera className="icon icon--s" /> Take
      </Button>
      {take.error && (
        <p className="is-failed" role="alert">
          {take.error.message}
        </p>
      )}
    </form>
  );
}

/** The row of the files as they are, which is no snapshot yet. */
const nowRow = "now";

function Timeline({
  workspace,
  items,
  runs,
  current,
  show,
}: {
  workspace: Workspace;
  items: Snapshot[];
  runs: Run[];
  current: Snapshot | null;
  show: (snapshot: string) => void;
}) {
  const rows = graphOf([{ id: nowRow, parent: workspace.base }, ...items]);
  const width = widthOf(rows);
  return (
    <ol className="snapshots__rows" aria-label="Snapshots, newest first">
      {rows.map((row) => {
        const snapshot = items.find((item) => item.id === row.id);
        if (!snapshot)
          return (
            <li key={row.id} className="snapshot snapshot--now">
              <GraphCell row={row} width={width} kind="now" />
              <span className="snapshot__text">
                <span className="strong">Now</span>
                <span className="quiet">Files as they are</span>
              </span>
            </li>
          );
        return (
          <li key={row.id}>
            <button
              type="button"
              className="snapshot"
              aria-current={snapshot === current ? "true" : undefined}
              onClick={() => show(snapshot.id)}
            >
              <GraphCell row={row} width={width} kind={snapshot.name === null ? "plain" : "named"} />
              <span className="snapshot__text">
                <span className={snapshot.name === null ? "cut" : "cut strong"}>
                  {snapshotTitle(snapshot, items, runs)}
                </span>
                <time className="quiet num" dateTime={snapshot.createdAt}>
                  {dayTime(snapshot.createdAt)}
                </time>
              </span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
