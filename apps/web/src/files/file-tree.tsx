import { useQueries, useQueryClient } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronRight, Code, Ellipsis, File, FileImage, FileText, Folder, Link2, Sheet } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { usePhone } from "../shell/media.ts";
import { DropdownMenu, DropdownMenuItem, DropdownMenuLink, DropdownMenuSeparator } from "../ui/dropdown-menu.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { treeRows, type TreeRow } from "./tree-rows.ts";

export interface TreeActions {
  open: (path: string) => void;
  rename: (path: string) => void;
  remove: (row: TreeRow) => void;
  createIn: (folder: string, kind: "file" | "folder") => void;
}

interface FileTreeProps {
  workspace: string;
  root: string;
  current: string | null;
  /** Letters beside files that the newest run changed. */
  marks: ReadonlyMap<string, "A" | "M">;
  actions: TreeActions;
}

/** The files of a workspace; a folder is read when it is opened. */
export function FileTree({ workspace, root, current, marks, actions }: FileTreeProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [at, setAt] = useState<string | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const queryClient = useQueryClient();
  const phone = usePhone();
  const folders = useMemo(() => [root, ...open], [root, open]);
  const listings = useQueries({
    queries: folders.map((folder) => queries.folder(workspace, folder)),
    combine: (results) =>
      new Map(
        results.map((result, index) => [
          folders[index] ?? "",
          result.data ?? (result.isError ? ("failed" as const) : ("loading" as const)),
        ]),
      ),
  });
  const rows = useMemo(() => treeRows(root, open, listings), [root, open, listings]);
  const height = phone ? 40 : 26;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
  });
  useEffect(() => virtual.measure(), [virtual, height]);

  const toggle = (row: TreeRow, wanted = !row.open) => {
    const next = new Set(open);
    if (wanted) next.add(row.path);
    else next.delete(row.path);
    setOpen(next);
    if (wanted) void queryClient.invalidateQueries({ queryKey: queries.folder(workspace, row.path).queryKey });
  };
  const press = (row: TreeRow) => {
    if (row.kind === "note" || !row.nameable) return;
    setAt(row.path);
    if (row.kind === "folder") toggle(row);
    else actions.open(row.path);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const index = Math.max(
      0,
      rows.findIndex((row) => row.path === (at ?? current)),
    );
    const row = rows[index];
    const go = (next: number) => {
      const target = rows[Math.min(rows.length - 1, Math.max(0, next))];
      if (!target) return;
      setAt(target.path);
      virtual.scrollToIndex(rows.indexOf(target));
    };
    if (!row || event.target !== event.currentTarget) return;
    const keys: Record<string, () => void> = {
      ArrowDown: () => go(at === null ? 0 : index + 1),
      ArrowUp: () => go(index - 1),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => (row.kind === "folder" && !row.open ? toggle(row, true) : go(index + 1)),
      ArrowLeft: () =>
        row.open
          ? toggle(row, false)
          : go(rows.findLastIndex((other, place) => place < index && other.depth < row.depth)),
      Enter: () => press(row),
      " ": () => press(row),
      F2: () => actions.rename(row.path),
      Delete: () => row.kind !== "note" && actions.remove(row),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  if (listings.get(root) === "loading") return <SkeletonRows rows={6} bare />;
  if (rows.length === 0)
    return (
      <p className="tree__empty quiet">Nothing here yet. What agents write and you upload appears in this list.</p>
    );
  return (
    <div ref={scroller} className="tree__scroll">
      <div
        role="tree"
        aria-label="Files"
        tabIndex={0}
        aria-activedescendant={at === null ? undefined : rowId(at)}
        style={{ height: virtual.getTotalSize(), position: "relative" }}
        onKeyDown={onKeyDown}
        onFocus={() => setAt((old) => old ?? current ?? rows[0]?.path ?? null)}
      >
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          return (
            <div
              key={row.path}
              className="tree__row"
              style={{ height: item.size, transform: `translateY(${item.start}px)` }}
              role="presentation"
            >
              <Leaf
                row={row}
                selected={row.path === current}
                at={row.path === at}
                mark={marks.get(row.path)}
                onPress={() => press(row)}
                menu={
                  row.kind !== "note" && row.nameable ? (
                    <LeafMenu workspace={workspace} row={row} actions={actions} />
                  ) : null
                }
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function rowId(path: string): string {
  return `leaf-${path.replace(/[^\w-]/g, (char) => `_${char.charCodeAt(0)}`)}`;
}

function Leaf({
  row,
  selected,
  at,
  mark,
  onPress,
  menu,
}: {
  row: TreeRow;
  selected: boolean;
  at: boolean;
  mark: "A" | "M" | undefined;
  onPress: () => void;
  menu: ReactNode;
}) {
  const note = row.kind === "note";
  return (
    <div
      id={rowId(row.path)}
      className={at ? "leaf leaf--at" : "leaf"}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-selected={selected}
      aria-expanded={row.kind === "folder" ? row.open : undefined}
      aria-disabled={note || !row.nameable}
      title={row.nameable || note ? undefined : "This name is not UTF-8: rename it in a terminal"}
      style={{ paddingLeft: `${0.5 + row.depth * 0.875}rem` }}
      onClick={onPress}
    >
      {row.kind === "folder" ? (
        <ChevronRight className={row.open ? "icon icon--s rotate-90" : "icon icon--s"} />
      ) : (
        <span />
      )}
      {note ? <span /> : <EntryIcon row={row} />}
      <span className={note ? "cut quiet" : "cut"}>{row.name}</span>
      {mark && (
        <span
          className={mark === "A" ? "leaf__mark is-added" : "leaf__mark is-waiting"}
          title={mark === "A" ? "New in the last turn" : "Changed in the last turn"}
        >
          {mark}
        </span>
      )}
      {/* A press in the menu is none on the row. */}
      <span className="contents" onClick={(event) => event.stopPropagation()}>
        {menu}
      </span>
    </div>
  );
}

function LeafMenu({ workspace, row, actions }: { workspace: string; row: TreeRow; actions: TreeActions }) {
  const folder = row.kind === "folder";
  return (
    <DropdownMenu
      trigger={
        <button className="leaf__more" type="button" tabIndex={-1} aria-label={`More about ${row.name}`}>
          <Ellipsis className="icon" />
        </button>
      }
    >
      {folder && <DropdownMenuItem onSelect={() => actions.createIn(row.path, "file")}>New file here</DropdownMenuItem>}
      {folder && (
        <DropdownMenuItem onSelect={() => actions.createIn(row.path, "folder")}>New folder here</DropdownMenuItem>
      )}
      <DropdownMenuLink
        href={
          folder
            ? client.files.archiveUrl(workspace, row.path)
            : client.files.url(workspace, row.path, { download: true })
        }
        download
      >
        Download
      </DropdownMenuLink>
      <DropdownMenuItem onSelect={() => actions.rename(row.path)} shortcut="F2">
        Rename or move
      </DropdownMenuItem>
      <DropdownMenuSeparator />
      <DropdownMenuItem danger onSelect={() => actions.remove(row)}>
        Delete
      </DropdownMenuItem>
    </DropdownMenu>
  );
}

const pictures = /^(png|jpe?g|gif|webp|svg|avif|ico)$/;
const documents = /^(md|txt|docx?|pdf|rtf|html?)$/;
const sheets = /^(csv|tsv|xlsx?|ods)$/;
const programs = /^(ts|tsx|js|jsx|mjs|cjs|py|rb|go|rs|c|h|cpp|java|sh|css|json|ya?ml|toml|sql|php)$/;

function EntryIcon({ row }: { row: TreeRow }) {
  if (row.kind === "folder") return <Folder className="icon" />;
  if (row.kind === "link") return <Link2 className="icon" />;
  const ending = row.name.slice(row.name.lastIndexOf(".") + 1).toLowerCase();
  if (documents.test(ending)) return <FileText className="icon" />;
  if (sheets.test(ending)) return <Sheet className="icon" />;
  if (pictures.test(ending)) return <FileImage className="icon" />;
  if (programs.test(ending)) return <Code className="icon" />;
  return <File className="icon" />;
}
