import type { Lifetime } from "@alcove/contract/api/lifetime";
import type { Workspace } from "@alcove/contract/api/workspace";
import { useState } from "react";
import { useNow } from "../shell/clock.ts";
import { AlertDialog } from "../ui/dialog.tsx";
import { Pick } from "../ui/pick.tsx";
import { Switch } from "../ui/switch.tsx";
import { useChange } from "./change.ts";
import { deletionAt, deletionWords, isSoon } from "./deletion.ts";
import { durationChoices, durationWords } from "./durations.ts";

type Moment = "freezeAfterMs" | "stopAfterMs" | "deleteAfterMs";

const moments: { name: Moment; label: string; note: string; choices: number[] }[] = [
  {
    name: "freezeAfterMs",
    label: "Freeze after",
    note: "Without work for this long it uses no processor; a touch brings it back at once",
    choices: durationChoices.freeze,
  },
  {
    name: "stopAfterMs",
    label: "Sleep after",
    note: "Without work for this long its programs end and it uses no memory; files stay",
    choices: durationChoices.stop,
  },
  {
    name: "deleteAfterMs",
    label: "Delete after",
    note: "At this age it is deleted with its files, at work or not",
    choices: durationChoices.delete,
  },
];

/** When the workspace freezes, sleeps and ends. Work is an agent's turn, a busy program, a terminal in use, a visitor of a preview. */
export function LifetimeRows({ workspace }: { workspace: Workspace }) {
  const change = useChange(workspace);
  const { lifetime } = workspace;
  const set = (next: (latest: Lifetime) => Lifetime) =>
    change.mutate((latest) => ({ lifetime: next(latest.lifetime) }));
  const awake = lifetime.keepAlive === true;
  const now = useNow(30_000);
  /** The age that was chosen and deletes the workspace so soon that it waits for a yes. */
  const [asked, setAsked] = useState<number | null>(null);
  const deletionOf = (deleteAfterMs: number | null | undefined) => {
    const deletion = deletionAt(workspace.createdAt, deleteAfterMs);
    return deletion === null ? null : { soon: isSoon(deletion, now), words: deletionWords(deletion, now) };
  };
  const choose = (name: Moment, value: number | null | undefined) => {
    if (name === "deleteAfterMs" && typeof value === "number" && deletionOf(value)?.soon) return setAsked(value);
    set((latest) => withMoment(latest, name, value));
  };
  const deletion = deletionOf(lifetime.deleteAfterMs);
  const askedDeletion = deletionOf(asked);
  return (
    <div className="group">
      <div className="limit">
        <div className="limit__text">
          <b className="strong">Keep awake</b>
          <span className="quiet">Never freezes or sleeps by itself, and starts again when it ends</span>
        </div>
        <Switch label="Keep awake" checked={awake} onChange={(on) => set((latest) => ({ ...latest, keepAlive: on }))} />
      </div>
      {moments
        .filter((moment) => !awake || moment.name === "deleteAfterMs")
        .map((moment) => (
          <div className="limit" key={moment.name}>
            <div className="limit__text">
              <b className="strong">{moment.label}</b>
              <span className="quiet">
                {moment.name === "deleteAfterMs" && deletion
                  ? `Deleted with its files ${deletion.words}, at work or not`
                  : moment.note}
              </span>
            </div>
            <MomentPick
              moment={moment}
              value={lifetime[moment.name]}
              noteOf={(ms) => (moment.name === "deleteAfterMs" ? deletionOf(ms)?.words : undefined)}
              onChange={(value) => choose(moment.name, value)}
            />
          </div>
        ))}
      <AlertDialog
        open={asked !== null}
        onOpenChange={() => setAsked(null)}
        title={`Delete ${workspace.name} ${askedDeletion?.words ?? ""}?`}
        action={askedDeletion?.words === "at once" ? "Delete it at once" : "Delete it then"}
        onConfirm={() => set((latest) => withMoment(latest, "deleteAfterMs", asked))}
      >
        Its files, snapshots, terminals and conversations are then gone for good, also while an agent works in it.
      </AlertDialog>
      {change.error && (
        <p className="limit__problem is-failed p-4" role="alert">
          {change.error.message}
        </p>
      )}
    </div>
  );
}

const usual = "usual";
const never = "never";

function MomentPick({
  moment,
  value,
  noteOf,
  onChange,
}: {
  moment: (typeof moments)[number];
  value: number | null | undefined;
  noteOf: (ms: number) => string | undefined;
  onChange: (value: number | null | undefined) => void;
}) {
  const choices = [...new Set([...moment.choices, ...(typeof value === "number" ? [value] : [])])].toSorted(
    (a, b) => a - b,
  );
  const options = [
    { value: usual, label: "As usual", note: "What this server does for all" },
    ...choices.map((ms) => ({ value: String(ms), label: durationWords(ms), note: noteOf(ms) })),
    { value: never, label: "Never" },
  ];
  const current = value === undefined ? usual : value === null ? never : String(value);
  return (
    <Pick
      label={moment.label}
      value={current}
      options={options}
      onChange={(next) => onChange(next === usual ? undefined : next === never ? null : Number(next))}
      className="pick--field"
    >
      {options.find((option) => option.value === current)?.label}
    </Pick>
  );
}

function withMoment(lifetime: Lifetime, name: Moment, value: number | null | undefined): Lifetime {
  const { [name]: _old, ...others } = lifetime;
  return value === undefined ? others : { ...others, [name]: value };
}
