import type { Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { FilePlus, FolderPlus, RefreshCw, Upload as UploadIcon } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type DragEvent } from "react";
import { baseName, folderName, plural, shortPath } from "../format/format.ts";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button, IconButton } from "../ui/button.tsx";
import { AlertDialog } from "../ui/dialog.tsx";
import { Pick } from "../ui/pick.tsx";
import { Empty } from "../ui/skeleton.tsx";
import { tellWithUndo } from "../ui/undo-toast.tsx";
import { FileTabs } from "./file-tabs.tsx";
import { FileTree, type TreeActions } from "./file-tree.tsx";
import { FileView } from "./file-view.tsx";
import { NameForm, type Naming } from "./name-form.tsx";
import { draftOf, forgetDraft, isDirty, keepDraft, moveDrafts } from "./drafts.ts";
import { isWithin, movedPath } from "./moved-path.ts";
import type { TreeRow } from "./tree-rows.ts";
import { filesOf, uploadInto, type Upload } from "./upload.ts";

const roots = [
  { value: "user/projects", label: "projects", note: "Where agents and you work" },
  { value: "user/home", label: "home", note: "Settings and keys of this workspace's user" },
];

interface Opened {
  tabs: string[];
  current: string | null;
}
/** What is open, by workspace: a box that sleeps takes the pane away, and not what somebody has opened in it. */
const openedIn = new Map<string, Opened>();

function useOpened(workspace: string) {
  const [opened, setOpened] = useState<Opened>(() => openedIn.get(workspace) ?? { tabs: [], current: null });
  useEffect(() => void openedIn.set(workspace, opened), [workspace, opened]);
  return [opened, setOpened] as const;
}

/** The files of a workspace: a tree, and beside it what is open. */
export default function FilesPane({ workspace }: { workspace: Workspace }) {
  const [root, setRoot] = useState("user/projects");
  const [{ tabs, current }, setOpened] = useOpened(workspace.id);
  const setTabs = (change: (old: string[]) => string[]) => setOpened((old) => ({ ...old, tabs: change(old.tabs) }));
  const setCurrent = (path: string | null) => setOpened((old) => ({ ...old, current: path }));
  const [naming, setNaming] = useState<Naming | null>(null);
  const [removing, setRemoving] = useState<TreeRow | null>(null);
  const [over, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const queryClient = useQueryClient();
  const marks = useMarks(workspace);
  const refresh = () =>
    Promise.all(["folder", "file"].map((kind) => queryClient.invalidateQueries({ queryKey: [kind, workspace.name] })));

  const open = (path: string) => {
    setTabs((old) => (old.includes(path) ? old : [...old, path]));
    setCurrent(path);
  };
  const close = (path: string) => {
    const draft = draftOf(workspace.id, path);
    closeAll([path]);
    if (!draft) return;
    tellWithUndo(`${baseName(path)} was closed without saving`, () => {
      // Opened again meanwhile, it may have newer text.
      if (!isDirty(workspace.id, path)) keepDraft(workspace.id, path, draft);
      open(path);
    });
  };
  const closeAll = (paths: readonly string[]) => {
    const left = tabs.filter((other) => !paths.includes(other));
    setTabs((old) => old.filter((other) => !paths.includes(other)));
    if (current !== null && paths.includes(current)) setCurrent(left.at(-1) ?? null);
    for (const path of paths) forgetDraft(workspace.id, path);
  };

  /** What is open goes with a file or folder that was renamed or moved. */
  const follow = (from: string, to: string) => {
    moveDrafts(workspace.id, from, to);
    setTabs((old) => [...new Set(old.map((tab) => movedPath(tab, from, to)))]);
    setCurrent(current && movedPath(current, from, to));
  };

  const [progress, setProgress] = useState<string | null>(null);
  const upload = useMutation({
    mutationFn: (uploads: Upload[]) =>
      uploadInto(workspace.name, root, uploads, (done, name) =>
        setProgress(`Uploading ${baseName(name)}, ${done + 1} of ${uploads.length}`),
      ),
    onSettled: () => {
      setProgress(null);
      return refresh();
    },
  });
  const remove = useMutation({
    mutationFn: (row: TreeRow) => client.files.delete(workspace.name, row.path, { recursive: row.kind === "folder" }),
    // What was typed and not saved outlives its file.
    onSuccess: (_, row) => closeAll(tabs.filter((tab) => isWithin(tab, row.path) && !isDirty(workspace.id, tab))),
    onSettled: refresh,
  });

  const actions: TreeActions = {
    open,
    rename: (path) => setNaming({ what: "rename", path }),
    remove: setRemoving,
    createIn: (folder, kind) => setNaming({ what: kind, folder }),
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void filesOf(event.dataTransfer).then((uploads) => uploads.length > 0 && upload.mutate(uploads));
  };
  const problem = upload.error ?? remove.error;

  return (
    <div
      className={over ? "pane pane--files pane--over" : "pane pane--files"}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => event.currentTarget === event.target && setOver(false)}
      onDrop={onDrop}
    >
      <div className="tree">
        <div className="tree__head">
          <Pick label="Folder" value={root} options={roots} onChange={setRoot} className="tree__root">
            <b className="strong">{roots.find((other) => other.value === root)?.label}</b>
          </Pick>
          <span className="grow" />
          <IconButton label="New file" onClick={() => setNaming({ what: "file", folder: root })}>
            <FilePlus className="icon" />
          </IconButton>
          <IconButton label="New folder" onClick={() => setNaming({ what: "folder", folder: root })}>
            <FolderPlus className="icon" />
          </IconButton>
          <IconButton label="Upload files, or drop them here" onClick={() => picker.current?.click()}>
            <UploadIcon className="icon" />
          </IconButton>
          <IconButton label="Read again" onClick={() => void refresh()}>
            <RefreshCw className="icon" />
          </IconButton>
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            aria-label="Files to upload"
            onChange={(event) => {
              const files = [...(event.target.files ?? [])];
              event.target.value = "";
              if (files.length > 0) upload.mutate(files.map((file) => ({ path: file.name, file })));
            }}
          />
        </div>
        {naming && (
          <NameForm
            key={JSON.stringify(naming)}
            workspace={workspace.name}
            naming={naming}
            onDone={(path) => {
              setNaming(null);
              void refresh();
              if (path === null) return;
              if (naming.what === "file") open(path);
              if (naming.what === "rename") follow(naming.path, path);
            }}
          />
        )}
        {progress && (
          <p className="tree__empty quiet" role="status">
            {progress}
          </p>
        )}
        {problem && (
          <div className="p-2">
            <FailureAlert
              failure={failureOf(problem)}
              title={upload.error ? "Not everything was uploaded" : "It was not deleted"}
              fresh
            >
              <Button
                size="sm"
                onClick={() => {
                  upload.reset();
                  remove.reset();
                }}
              >
                Close
              </Button>
            </FailureAlert>
          </div>
        )}
        <FileTree workspace={workspace.name} root={root} current={current} marks={marks} actions={actions} />
      </div>
      <div className="editor">
        {current !== null && (
          <FileView
            workspace={workspace}
            path={current}
            tabs={<FileTabs workspace={workspace.id} paths={tabs} current={current} onOpen={open} onClose={close} />}
          />
        )}
        {current === null && (
          <Empty
            title="Open a file to read or change it"
            action={<Button onClick={() => picker.current?.click()}>Upload files</Button>}
          >
            Text opens in an editor, pictures and PDFs as they are. Files can also be dropped anywhere on this pane.
          </Empty>
        )}
      </div>
      <AlertDialog
        open={removing !== null}
        onOpenChange={() => setRemoving(null)}
        title={`Delete ${removing?.name ?? ""}?`}
        action={removing?.kind === "folder" ? "Delete the folder" : "Delete the file"}
        onConfirm={() => removing && remove.mutate(removing)}
      >
        {removing?.kind === "folder"
          ? "Everything in it goes too."
          : `It is removed from ${shortPath(folderName(removing?.path ?? ""))}.`}{" "}
        This cannot be undone from here.
        {removing &&
          tabs.some((tab) => isWithin(tab, removing.path) && isDirty(workspace.id, tab)) &&
          " What you typed and did not save stays open."}
      </AlertDialog>
      {over && (
        <div className="drop" aria-hidden="true">
          Drop to upload into {root.split("/").at(-1)}
        </div>
      )}
      <span className="sr" role="status">
        {upload.isSuccess && `${plural(upload.variables.length, "file")} uploaded`}
      </span>
    </div>
  );
}

/** Letters for the files that the newest run with changes has written. */
function useMarks(workspace: Workspace): ReadonlyMap<string, "A" | "M"> {
  const runs = useQuery(queries.workspaceRuns(workspace.name));
  return useMemo(() => {
    const newest = runs.data?.items.find((run) => run.files.length > 0 && run.undo !== "done");
    return new Map(
      (newest?.files ?? []).flatMap((file) =>
        file.change === "deleted"
          ? []
          : [[file.path, file.change === "added" ? ("A" as const) : ("M" as const)] as const],
      ),
    );
  }, [runs.data]);
}
