import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { CircleHelp, Download } from "lucide-react";
import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";
import { formatBytes } from "../format/format.ts";
import { client } from "../live/client.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button, buttonClass } from "../ui/button.tsx";
import { Kbd } from "../ui/kbd.tsx";
import { Empty, SkeletonRows } from "../ui/skeleton.tsx";
import { ToggleGroup } from "../ui/toggle-group.tsx";
import { draftOf, forgetDraft, keepDraft, useDirty } from "./drafts.ts";
import { fileQuery, isConflict, kindOf, type FileContent } from "./file-content.ts";
import { useSave } from "./save.ts";

const CodeEditor = lazy(() => import("./code-editor.tsx"));
const DocumentView = lazy(() => import("../deliverables/document-view.tsx"));

/** One open file below its tabs. */
export function FileView({ workspace, path, tabs }: { workspace: Workspace; path: string; tabs: ReactNode }) {
  /** The file that is shown as a page; all others are shown as text. */
  const [paged, setPaged] = useState<string | null>(null);
  const save = useSave(workspace, path);
  const dirty = useDirty(workspace.id, path);
  const kind = kindOf(path);
  const canPage = kind === "markdown" || kind === "html" || kind === "table";
  const page = canPage && paged === path;
  return (
    <>
      <div className="editor__tabs">
        {tabs}
        <span className="grow" />
        {dirty && (
          <Button size="sm" variant="default" aria-busy={save.isPending} onClick={() => save.mutate({ type: "typed" })}>
            Save <Kbd keys="mod+s" />
          </Button>
        )}
        {canPage && (
          <ToggleGroup
            label="View"
            value={page ? "page" : "text"}
            options={[
              { value: "text", label: "Text" },
              { value: "page", label: "Page" },
            ]}
            onChange={(view) => setPaged(view === "page" ? path : null)}
          />
        )}
      </div>
      <div className="editor__body">
        <Body key={path} workspace={workspace} path={path} page={page} save={save} dirty={dirty} />
      </div>
    </>
  );
}

function Body({
  workspace,
  path,
  page,
  save,
  dirty,
}: {
  workspace: Workspace;
  path: string;
  page: boolean;
  save: ReturnType<typeof useSave>;
  dirty: boolean;
}) {
  const query = useQuery(fileQuery(workspace.name, path));
  const [comparing, setComparing] = useState<string | null>(null);
  const content = query.data;
  const { refetch } = query;
  const conflicts = isConflict(save.error);
  useEffect(() => {
    if (conflicts) void refetch();
  }, [conflicts, refetch]);

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
      {(changedBelow || conflicts) && (
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
                  .then((fresh) =>
                    save.mutate({ type: "etag", etag: fresh.data?.type === "text" ? fresh.data.etag : null }),
                  )
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
      {save.error && !conflicts && (
        <div className="m-2">
          <FailureAlert failure={failureOf(save.error)} title="The file was not saved" fresh>
            <Button size="sm" onClick={() => save.mutate({ type: "typed" })}>
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
            save.mutate({ type: "typed" });
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
