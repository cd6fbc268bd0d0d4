import type { Change, Snapshot, Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { plural, shortPath } from "../format/format.ts";
import { queries } from "../live/queries.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Pick } from "../ui/pick.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { changeRows, type ChangeRow } from "./change-groups.ts";
import { SnapshotDiff } from "./snapshot-diff.tsx";
import { dayTime } from "./snapshot-words.ts";

const now = "now";
/** More files than anybody opens one by one; the rest is a press away. */
const firstRows = 200;

/** What differs between a snapshot and another, or the files as they are now. */
export function Compare({
  workspace,
  from,
  others,
  titleOf,
}: {
  workspace: Workspace;
  from: Snapshot;
  others: Snapshot[];
  titleOf: (snapshot: Snapshot) => string;
}) {
  const [to, setTo] = useState(now);
  const [all, setAll] = useState(false);
  const target = others.find((other) => other.id === to) ?? null;
  // The older of the two is always what was, whichever was chosen first.
  const [old, young] = target && target.createdAt < from.createdAt ? [target, from] : [from, target];
  const range = { from: old.id, to: young?.id ?? null };
  const changes = useQuery(queries.snapshotChanges(workspace.id, range));
  const rows = changeRows(changes.data?.items ?? []);
  const shown = all ? rows : rows.slice(0, firstRows);
  return (
    <section className="compare" aria-label="Differences">
      <div className="compare__head">
        <span className="soft">{young === from ? "Changed since" : "Changed until"}</span>
        <Pick
          label="Compare with"
          value={target?.id ?? now}
          options={[
            { value: now, label: "Now" },
            ...others.map((other) => ({ value: other.id, label: titleOf(other), note: dayTime(other.createdAt) })),
          ]}
          onChange={setTo}
        >
          <span className="cut max-w-52">{target ? titleOf(target) : "now"}</span>
        </Pick>
        <span className="grow" />
        {changes.data && rows.length > 0 && <Counts changes={changes.data.items} />}
      </div>
      {changes.isPending && <SkeletonRows rows={4} bare />}
      {changes.isError && !changes.data && (
        <div className="p-4">
          <FailureAlert failure={failureOf(changes.error)} title="The two cannot be compared">
            <Button size="sm" onClick={() => void changes.refetch()}>
              Try again
            </Button>
          </FailureAlert>
        </div>
      )}
      {changes.data && rows.length === 0 && <p className="p-4 quiet">No file differs.</p>}
      <ul>
        {shown.map((row) => (
          <Row key={row.type === "file" ? row.change.path : row.folder} row={row} workspace={workspace} range={range} />
        ))}
      </ul>
      {shown.length < rows.length && (
        <div className="p-4">
          <Button size="sm" onClick={() => setAll(true)}>
            Show all {rows.length}
          </Button>
        </div>
      )}
    </section>
  );
}

function Counts({ changes }: { changes: Change[] }) {
  const files = changes.filter((change) => change.kind !== "folder");
  const of = (kind: Change["change"]) => files.filter((change) => change.change === kind).length;
  return (
    <span className="num quiet">
      {[
        [of("added"), "new"],
        [of("modified"), "changed"],
        [of("deleted"), "deleted"],
      ]
        .filter(([count]) => count !== 0)
        .map(([count, word]) => `${count} ${word}`)
        .join(", ")}
    </span>
  );
}

function Row({
  row,
  workspace,
  range,
}: {
  row: ChangeRow;
  workspace: Workspace;
  range: { from: string; to: string | null };
}) {
  const [open, setOpen] = useState(false);
  if (row.type === "many")
    return (
      <li className="difference">
        <span className="difference__head">
          <span className="leaf__mark quiet">…</span>
          <code className="cut grow">{shortPath(row.folder)}</code>
          <span className="quiet num">{plural(row.count, "change")} by tools</span>
        </span>
      </li>
    );
  const { path, change, kind } = row.change;
  const mark = change === "added" ? "is-added" : change === "deleted" ? "is-removed" : "is-waiting";
  return (
    <li className="difference">
      <button type="button" className="difference__head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className={`leaf__mark ${mark}`}>{change === "added" ? "A" : change === "deleted" ? "D" : "M"}</span>
        <code className="cut grow text-left">{shortPath(path)}</code>
        {kind !== "file" && <span className="quiet">{kind === "link" ? "link" : "not a file"}</span>}
        <ChevronRight className="icon icon--s" />
      </button>
      {open && <SnapshotDiff workspace={workspace} range={range} change={row.change} />}
    </li>
  );
}
