import { CircleHelp } from "lucide-react";
import type { ReactNode } from "react";

/** Asks what becomes of unsaved text whose file is no longer what it was typed over. */
export function ChangedBelow({ title, note, children }: { title: string; note: string; children: ReactNode }) {
  return (
    <div className="approval m-2">
      <h3 className="approval__title">
        <CircleHelp className="icon" /> {title}
      </h3>
      <p className="soft">{note}</p>
      <div className="btns">{children}</div>
    </div>
  );
}
