import type { Failure } from "@alcove/contract/api/problem";
import { toCodedError } from "@alcove/contract/errors";
import { TriangleAlert } from "lucide-react";
import { useState, type ReactNode } from "react";
import { Button } from "./button.tsx";

/** Any error as the three things that people need: what happened, what to do, and the code for a search or a report. */
export function failureOf(error: unknown): Failure {
  const coded = toCodedError(error);
  return { code: coded.code, detail: coded.message, hint: coded.hint };
}

/** Beside the thing that failed: what happened, what to do, what to press; the raw answer is one press away. */
export function FailureAlert({
  failure,
  title,
  children,
  fresh = false,
}: {
  failure: Failure;
  title?: string;
  children?: ReactNode;
  fresh?: boolean;
}) {
  const [open, setOpen] = useState(false);
  return (
    <div className="error" role={fresh ? "alert" : undefined}>
      <TriangleAlert className="icon" />
      <b className="strong">{title ?? failure.detail}</b>
      <p>{title ? `${sentence(failure.detail)} ${failure.hint}` : failure.hint}</p>
      {open && <pre className="command mt-2">{`${failure.code}\n${failure.detail}`}</pre>}
      <div className="btns">
        {children}
        <Button variant="ghost" size="sm" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Hide details" : "Details"}
        </Button>
      </div>
    </div>
  );
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
