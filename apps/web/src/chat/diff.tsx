import { Fragment } from "react";
import type { DiffLine, FileDiff } from "./diff-lines.ts";

/** The difference of a file, line by line. */
export function Diff({ diff, maxHeight = true }: { diff: FileDiff; maxHeight?: boolean }) {
  return (
    <div
      className={maxHeight ? "diff diff--short" : "diff"}
      tabIndex={maxHeight ? 0 : undefined}
      role={maxHeight ? "region" : undefined}
      aria-label={maxHeight ? "Changed lines" : undefined}
    >
      {diff.hunks.map((hunk, index) => (
        <Fragment key={index}>
          {(diff.hunks.length > 1 || hunk.from > 1) && (
            <div className="diff__hunk">
              Lines {hunk.from} to {hunk.to}
            </div>
          )}
          {hunk.lines.map((line, at) => (
            <Line key={at} line={line} />
          ))}
        </Fragment>
      ))}
    </div>
  );
}

const signs = { same: "", add: "+", del: "−" } as const;

function Line({ line }: { line: DiffLine }) {
  const Mark = line.type === "add" ? "ins" : "del";
  return (
    <div className={line.type === "same" ? "diff__line" : `diff__line diff__line--${line.type}`}>
      <span>{line.number}</span>
      <span>{signs[line.type]}</span>
      <code>{line.spans.map((span, index) => (span.changed ? <Mark key={index}>{span.text}</Mark> : span.text))}</code>
    </div>
  );
}

/** `+48 −9`. */
export function DiffCounts({ added, removed }: { added: number; removed: number }) {
  return (
    <span className="num">
      {added > 0 && <span className="is-added">+{added}</span>}{" "}
      {removed > 0 && <span className="is-removed">−{removed}</span>}
    </span>
  );
}
