import { Check, Circle, CircleDot } from "lucide-react";
import type { Transcript } from "./transcript.ts";

/** The agent's list of steps and how far it is. */
export function Plan({ entries, live }: { entries: Transcript["plan"]; live: boolean }) {
  const done = entries.filter((entry) => entry.status === "completed").length;
  const share = Math.round((done / entries.length) * 100);
  return (
    <div className="steps">
      <div className="tool">
        <div className="tool__head">
          <span className="ring ring--m" style={{ "--at": share }} /> <span>To do</span>
          <span className="grow" />
          <span className="quiet num">
            {done} of {entries.length}
          </span>
        </div>
        <ol className="todo">
          {entries.map((entry, index) => (
            <li
              key={index}
              className={
                entry.status === "completed" ? "todo__done" : entry.status === "in_progress" && live ? "todo__now" : ""
              }
            >
              {entry.status === "completed" ? (
                <Check className="icon icon--s" aria-label="Done" />
              ) : entry.status === "in_progress" && live ? (
                <CircleDot className="icon icon--s" aria-label="Now" />
              ) : (
                <Circle className="icon icon--s" aria-label="Open" />
              )}
              {entry.content}
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}
