import type { Limits } from "@alcove/contract/api/workspace";
import { useId } from "react";
import {
  limitEntry,
  limitKinds,
  stepOf,
  type LimitEntry,
  type LimitKind,
  type LimitName,
} from "../computer/limit-kinds.ts";
import { LimitStepper } from "../computer/limit-stepper.tsx";

/** What stands in the fields, by limit; a limit without text is none. */
export type LimitTexts = Partial<Record<LimitName, string>>;

/** The limits that people choose before there is a workspace; the others can be set once it is there. */
const asked = limitKinds.filter(({ name }) => name === "memoryBytes" || name === "cpus" || name === "diskBytes");

/** What the fields say as limits, or null when one of them says nothing that can be set. */
export function limitsOf(texts: LimitTexts): Limits | null {
  const limits: Limits = {};
  for (const kind of asked) {
    const entry = entryOf(kind, texts);
    if (entry.type === "problem") return null;
    if (entry.value !== undefined) limits[kind.name] = entry.value;
  }
  return limits;
}

function entryOf(kind: LimitKind, texts: LimitTexts): LimitEntry {
  return limitEntry(kind, texts[kind.name] ?? "");
}

/** Memory, processor and disk of a workspace that is about to be made. */
export function LimitFields({ texts, onChange }: { texts: LimitTexts; onChange: (texts: LimitTexts) => void }) {
  const id = useId();
  return (
    <div className="group">
      {asked.map((kind) => {
        const entry = entryOf(kind, texts);
        const field = `${id}-${kind.name}`;
        const step = (direction: 1 | -1) => {
          const next = stepOf(kind, entry.type === "value" ? entry.value : undefined, direction);
          onChange({ ...texts, [kind.name]: next === undefined ? "" : kind.show(next) });
        };
        return (
          <div className="limit" key={kind.name}>
            <div className="limit__text">
              <label className="strong" htmlFor={field}>
                {kind.label}
              </label>
              <span className={entry.type === "problem" ? "is-failed" : "quiet"} id={`${field}-note`}>
                {entry.type === "problem" ? entry.problem : kind.note}
              </span>
            </div>
            <LimitStepper
              kind={kind}
              id={field}
              text={texts[kind.name] ?? ""}
              describedBy={`${field}-note`}
              invalid={entry.type === "problem"}
              onText={(text) => onChange({ ...texts, [kind.name]: text })}
              onStep={step}
            />
          </div>
        );
      })}
    </div>
  );
}
