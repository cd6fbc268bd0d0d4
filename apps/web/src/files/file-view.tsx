import type { Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleHelp, Download } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { formatBytes } from "../format/format.ts";
import { client } from "../live/client.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button, buttonClass } from "../ui/button.tsx";
import { Kbd } from "../ui/kbd.tsx";
import { Empty, SkeletonRows } from "../ui/skeleton.tsx";
import { ToggleGroup } from "../ui/toggle-group.tsx";
import { draftOf, forgetDraft, keepDraft, useDirty } from "./drafts.ts";
import { fileQuery, isConflict, kindOf, type FileContent } from "./file-content.ts";

const CodeEditor = lazy(() => import("./code-editor.tsx"));
const DocumentView = lazy(() => import("../deliverables/document-view.tsx"));

/** One open file below its tabs. */
export function FileView({ workspace, path, tabs }: { workspace: Workspace; path: string | null; tabs: ReactNode }) {
  const [view, setView] = useState<"text" | "page">("text");
  const kind = path === null ? "text" : kindOf(path);
  const paged = kind === "markdown" || kind === "html" || kind === "table";
  return (
    <>
      <div className="editor__tabs">
        <div className="editor__files">{tabs}</div>
        <span className="grow" />
        {path !== null && <Save workspace={workspace} path={path} />}
        {path !== null && paged && (
          <ToggleGroup
            label="View"
            value={view}
            options={[
              { value: "text", label: "Text" },
              { value: "page", label: "Page" },
            ]}
            onChange={setView}
          />
        )}
      </div>
      <div className="editor__body">
        {path === null ? null : <Body key={path} workspace={workspace} path={path} page={paged && view === "page"} />}
      </div>
    </>
  );
}

function useSave(workspace: Workspace, path: string) {
  const queryClient = useQueryClient();
  const { queryKey } = fileQuery(workspace.name, path);
  return useMutation({
    mutationKey: ["save", workspace.id, path],
    mutationFn: async (options: { over?: string | null } = {}) => {
      const draft = draftOf(workspace.id, path);
      if (!draft) return;
      const etag = options.over === undefined ? draft.etag : options.over;
      const written = await client.files.write(
        workspace.name,
        path,
        draft.text,
        etag === null ? {} : { ifMatch: etag },
      );
      const saved: FileContent = { type: "text", text: draft.text, etag: written.etag };
      queryClient.setQueryData(queryKey, saved);
      // Typing may have gone on while the text was on its way.
      const now = draftOf(workspace.id, path);
      if (now?.text === draft.text) forgetDraft(workspace.id, path);
      else if (now) keepDraft(workspace.id, path, { text: now.text, etag: written.etag });
    },
  });
}

function Save({ workspace, path }: { workspace: Workspace; path: string }) {
  const dirty = useDirty(workspace.id, path);
  const save = useSave(workspace, path);
  if (!dirty) return null;
  return (
    <Button size="sm" variant="default" aria-busy={save.isPending} onClick={() => save.mutate({})}>
      Save <Kbd keys="mod+s" />
    </Button>
  );
}

function Body({ workspace, path, page }: { workspace: Workspace; path: string; page: boolean }) {
  const query = useQuery(fileQuery(workspace.name, path));
  const save = useSave(workspace, path);
  const dirty = useDirty(workspace.id, path);
  const [comparing, setComparing] = useState<string | null>(null);
  const content = query.data;

  if (!content) {
    return query.isError ? (
      <div className="p-4">
        <FailureAlert failure={failureOf(query.error)}>
          <Button size="sm" onClick={() => void query.refetch()}>
            Try again
          </Button>
        </FailureAlert>
      </div>
    ) : (
      <SkeletonRows rows={6} bare />
    );
  }
  if (content.type !== "text") return <NotText workspace={workspace} path={path} content={content} />;

  const draft = dirty ? draftOf(workspace.id, path) : undefined;
  const changedBelow =
    draft !== undefined && draft.etag !== null && content.etag !== null && draft.etag !== content.etag;
  if (page) {
    return (
      <Suspense fallback={<SkeletonRows rows={6} bare />}>
        <DocumentView
          path={path}
          content={{ type: "text", text: draft?.text ?? content.text, etag: null }}
          url={client.files.url(workspace.name, path)}
          imageUrl={(image) => client.files.url(workspace.name, `${path.slice(0, path.lastIndexOf("/"))}/${image}`)}
        />
      </Suspense>
    );
  }
  return (
    <div className="editor__text">
      {(changedBelow || isConflict(save.error)) && (
        <div className="approval m-2">
          <h3 className="approval__title">
            <CircleHelp className="icon" /> {path.slice(path.lastIndexOf("/") + 1)} changed on disk while you were
            typing
          </h3>
          <p className="soft">Your text is kept here until you choose.</p>
          <div className="btns">
            <Button
              size="sm"
              onClick={() => {
                keepDraft(workspace.id, path, { text: draft?.text ?? "", etag: content.etag });
                setComparing(content.text);
                save.reset();
              }}
            >
              Compare both
            </Button>
            <Button
              size="sm"
              onClick={() =>
                void query
                  .refetch()
                  .then((fresh) => save.mutate({ over: fresh.data?.type === "text" ? fresh.data.etag : null }))
              }
            >
              Keep mine
            </Button>
            <Button
              size="sm"
              variant="ghost"
              onClick={() => {
                forgetDraft(workspace.id, path);
                setComparing(null);
                save.reset();
                void query.refetch();
              }}
            >
              Take the one on disk
            </Button>
          </div>
        </div>
      )}
      {save.error && !isConflict(save.error) && (
        <div className="m-2">
          <FailureAlert failure={failureOf(save.error)} title="The file was not saved" fresh>
            <Button size="sm" onClick={() => save.mutate({})}>
              Save again
            </Button>
          </FailureAlert>
        </div>
      )}
      <Suspense fallback={<SkeletonRows rows={6} bare />}>
        <CodeEditor
          path={path}
          text={draft?.text ?? content.text}
          compareWith={comparing}
          onChange={(text) =>
            keepDraft(workspace.id, path, { text, etag: draftOf(workspace.id, path)?.etag ?? content.etag })
          }
          onSave={() => {
            setComparing(null);
            save.mutate({}, { onError: (error) => void (isConflict(error) && query.refetch()) });
          }}
        />
      </Suspense>
    </div>
  );
}

function NotText({
  workspace,
  path,
  content,
}: {
  workspace: Workspace;
  path: string;
  content: Exclude<FileContent, { type: "text" }>;
}) {
  const url = client.files.url(workspace.name, path);
  if (content.type === "image" || content.type === "pdf") {
    return (
      <Suspense fallback={<SkeletonRows rows={6} bare />}>
        <DocumentView path={path} content={content} url={url} />
      </Suspense>
    );
  }
  return (
    <Empty
      title={content.type === "too_large" ? "Too large to change here" : "Not a text"}
      action={
        <a className={buttonClass({})} href={client.files.url(workspace.name, path, { download: true })} download>
          <Download className="icon" /> Download
        </a>
      }
    >
      {content.size === null
        ? "Open it with a program on your computer."
        : `${formatBytes(content.size)}. Open it with a program on your computer, or in the terminal.`}
    </Empty>
  );
}
