import { X } from "lucide-react";
import { baseName, shortPath } from "../format/format.ts";
import { useDirty } from "./drafts.ts";

/** The open files in a row; the one that is shown is scrolled to. */
export function FileTabs({
  workspace,
  paths,
  current,
  onOpen,
  onClose,
}: {
  /** Id of the workspace. */
  workspace: string;
  paths: readonly string[];
  current: string;
  onOpen: (path: string) => void;
  onClose: (path: string) => void;
}) {
  return (
    <div className="editor__files">
      {paths.map((path) => (
        <span
          className="doc-tab"
          key={path}
          data-current={path === current}
          ref={path === current ? scrollTo : undefined}
        >
          <button type="button" aria-pressed={path === current} title={shortPath(path)} onClick={() => onOpen(path)}>
            <span className="cut">{baseName(path)}</span>
            <Dot workspace={workspace} path={path} />
          </button>
          <button
            type="button"
            className="doc-tab__close"
            aria-label={`Close ${baseName(path)}`}
            onClick={() => onClose(path)}
          >
            <X className="icon icon--xs" />
          </button>
        </span>
      ))}
    </div>
  );
}

function scrollTo(tab: HTMLElement | null): void {
  tab?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function Dot({ workspace, path }: { workspace: string; path: string }) {
  return useDirty(workspace, path) ? <span className="doc-tab__dot" role="img" aria-label="not saved" /> : null;
}
