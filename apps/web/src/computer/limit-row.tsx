import type { Limits, Workspace } from "@alcove/contract/api/workspace";
import { Undo2 } from "lucide-react";
import { useEffect, useEffectEvent, useId, useState } from "react";
import { Button } from "../ui/button.tsx";
import { useChange } from "./change.ts";
import { LimitStepper } from "./limit-stepper.tsx";
import { limitEntry, stepOf, type LimitKind, type LimitName } from "./limit-kinds.ts";

/** Steps that follow each other this quickly are one change. */
const settleMs = 500;

/** One limit in a field of its own: typed or stepped, holds at once, and can be taken back. */
export function LimitRow({ kind, workspace }: { kind: LimitKind; workspace: Workspace }) {
  const change = useChange(workspace);
  const id = useId();
  const value = workspace.limits[kind.name];
  /** What stands in the field while it is not what the workspace has. */
  const [draft, setDraft] = useState<string | null>(null);
  const [stepped, setStepped] = useState(0);
  const [problem, setProblem] = useState<string | null>(null);
  const [before, setBefore] = useState<{ value: number | undefined } | null>(null);

  const shown = value === undefined ? "" : kind.show(value);
  const apply = (next: number | undefined, undo: boolean) => {
    if (next === value) return setDraft(null);
    change.mutate(({ limits }) => ({ limits: withLimit(limits, kind.name, next) }), {
      onSuccess: () => {
        setBefore(undo ? { value } : null);
        setDraft(null);
      },
      onError: (error) => setProblem(error.message),
    });
  };
  const commit = () => {
    if (draft === null) return;
    const entry = limitEntry(kind, draft);
    setProblem(entry.type === "problem" ? entry.problem : null);
    if (entry.type === "value") apply(entry.value, true);
  };
  const step = (direction: 1 | -1) => {
    const entry = draft === null ? null : limitEntry(kind, draft);
    const next = stepOf(kind, entry?.type === "value" ? entry.value : value, direction);
    setProblem(null);
    setDraft(next === undefined ? "" : kind.show(next));
    setStepped((count) => count + 1);
  };

  const settle = useEffectEvent(commit);
  useEffect(() => {
    if (stepped === 0) return;
    const timer = setTimeout(settle, settleMs);
    return () => clearTimeout(timer);
  }, [stepped]);

  return (
    <div className="limit">
      <div className="limit__text">
        <label className="strong" htmlFor={id}>
          {kind.label}
        </label>
        <span className="quiet" id={`${id}-note`}>
          {kind.note}
        </span>
      </div>
      {before && draft === null && (
        <Button
          size="sm"
          variant="ghost"
          onClick={() => apply(before.value, false)}
          aria-label={`Set ${kind.label.toLowerCase()} back to ${before.value === undefined ? kind.empty.toLowerCase() : kind.show(before.value)}`}
        >
          <Undo2 className="icon icon--s" /> was{" "}
          {before.value === undefined ? kind.empty.toLowerCase() : kind.show(before.value)}
        </Button>
      )}
      <LimitStepper
        kind={kind}
        id={id}
        text={draft ?? shown}
        describedBy={problem ? `${id}-problem` : `${id}-note`}
        invalid={problem !== null}
        busy={change.isPending}
        onText={(text) => {
          setDraft(text);
          setProblem(null);
        }}
        onStep={step}
        onCommit={commit}
        onCancel={
          draft === null
            ? undefined
            : () => {
                setDraft(null);
                setProblem(null);
              }
        }
      />
      {problem && (
        <p className="limit__problem is-failed" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

function withLimit(limits: Limits, name: LimitName, value: number | undefined): Limits {
  const { [name]: _old, ...others } = limits;
  return value === undefined ? others : { ...others, [name]: value };
}
