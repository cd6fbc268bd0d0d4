import { Minus, Plus } from "lucide-react";
import type { KeyboardEvent } from "react";
import type { LimitKind } from "./limit-kinds.ts";

/** The field of a limit: text between two buttons; arrow keys step as the buttons do. */
export function LimitStepper({
  kind,
  id,
  text,
  describedBy,
  invalid,
  busy = false,
  onText,
  onStep,
  onCommit,
  onCancel,
}: {
  kind: LimitKind;
  id: string;
  text: string;
  describedBy: string;
  invalid: boolean;
  busy?: boolean;
  onText: (text: string) => void;
  onStep: (direction: 1 | -1) => void;
  onCommit?: () => void;
  /** Undefined while there is nothing to take back: Escape then belongs to whatever is around the field. */
  onCancel?: (() => void) | undefined;
}) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && onCommit) onCommit();
    if (event.key === "Escape" && onCancel) {
      event.stopPropagation();
      onCancel();
    }
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    onStep(event.key === "ArrowUp" ? 1 : -1);
  };
  const word = kind.label.toLowerCase();
  return (
    <div className="stepper" aria-busy={busy}>
      <button type="button" tabIndex={-1} aria-label={`Less: ${word}`} onClick={() => onStep(-1)}>
        <Minus className="icon icon--s" />
      </button>
      <input
        id={id}
        className="num"
        value={text}
        placeholder={kind.empty}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={invalid}
        aria-describedby={describedBy}
        onChange={(event) => onText(event.target.value)}
        onFocus={(event) => event.target.select()}
        onBlur={onCommit}
        onKeyDown={onKeyDown}
      />
      <button type="button" tabIndex={-1} aria-label={`More: ${word}`} onClick={() => onStep(1)}>
        <Plus className="icon icon--s" />
      </button>
    </div>
  );
}
