import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";
import { baseName, formatBytes } from "../format/format.ts";
import { client } from "../live/client.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button, buttonClass } from "../ui/button.tsx";
import { Kbd } from "../ui/kbd.tsx";
import { Empty, SkeletonRows } from "../ui/skeleton.tsx";
import { ToggleGroup } from "../ui/toggle-group.tsx";
import { ChangedBelow } from "./changed-below.tsx";
import { draftOf, forgetDraft, keepDraft, useDirty } from "./drafts.ts";
import { fileQuery, isConflict, isGone, kindOf, type FileContent } from "./file-content.ts";
import { useSave } from "./save.ts";

const CodeEditor = lazy(() => import("./code-editor.tsx"));
const DocumentView = lazy(() => import("../deliverables/document-view.tsx"));

/** One open file below its tabs. */
export function FileView({ workspace, path, tabs }: { workspace: Workspace; path: string; tabs: ReactNode }) {
  /** The file that is shown as a page; all others are shown as text. */
  const [paged, setPaged] = useState<string | null>(null);
  const queryClient = useQueryClient();
  const query = useQuery(fileQuery(workspace.name, path));
  const save = useSave(workspace, path);
  const dirty = useDirty(workspace.id, path);
  const gone = isGone(query.error) || isGone(save.error);
  useEffect(() => {
    if (gone) void queryClient.invalidateQueries({ queryKey: ["folder", workspace.name] });
  }, [gone, queryClient, workspace.name]);
  const kind = kindOf(path);
  const canPage = kind === "markdown" || kind === "html" || kind === "table";
  const page = canPage && paged === path;
  return (
    <>
      <div className="editor__tabs">
        {tabs}
        <span className="grow" />
        {dirty && !gone && (
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
        <Body
          key={path}
          workspace={workspace}
          path={path}
          page={page}
          query={query}
          save={save}
          dirty={dirty}
          gone={gone}
        />
      </div>
    </>
  );
}

function Body({
  workspace,
  path,
  page,
  query,
  save,
  dirty,
  gone,
}: {
  workspace: Workspace;
  path: string;
  page: boolean;
  query: UseQueryResult<FileContent>;
  save: ReturnType<typeof useSave>;
  dirty: boolean;
  /** There is no such file any more. */
  gone: boolean;
}) {
  const [comparing, setComparing] = useState<string | null>(null);
  const { refetch } = query;
  const conflicts = isConflict(save.error) || isGone(save.error);
  useEffect(() => {
    if (conflicts) void refetch();
  }, [conflicts, refetch]);
  const draft = dirty ? draftOf(workspace.id, path) : undefined;
  const content = gone ? undefined : query.data;

  if (!content && !(gone && draft)) {
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
  if (content && content.type !== "text") return <NotText workspace={workspace} path={path} content={content} />;

  const text = draft?.text ?? content?.text ?? "";
  const etag = content?.etag ?? null;
  const changedBelow = draft !== undefined && draft.etag !== null && etag !== null && draft.etag !== etag;
  if (page) {
    return (
      <Suspense fallback={<SkeletonRows rows={6} bare />}>
        <DocumentView
          path={path}
          content={{ type: "text", text, etag: null }}
          url={client.files.url(workspace.name, path)}
          imageUrl={(image) => client.files.url(workspace.name, `${path.slice(0, path.lastIndexOf("/"))}/${image}`)}
        />
      </Suspense>
    );
  }
  return (
    <div className="editor__text">
      {gone && (
        <ChangedBelow
          title={`${baseName(path)} was deleted or moved`}
          note="Your text is kept here until you save it or close the tab."
        >
          <Button size="sm" aria-busy={save.isPending} onClick={() => save.mutate({ type: "gone" })}>
            Save it again
          </Button>
        </ChangedBelow>
      )}
      {!gone && (changedBelow || conflicts) && (
        <ChangedBelow
          title={`${baseName(path)} changed on disk while you were typing`}
          note="Your text is kept here until you choose."
        >
          <Button
            size="sm"
            onClick={() => {
              keepDraft(workspace.id, path, { text, etag });
              setComparing(content?.text ?? "");
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
        </ChangedBelow>
      )}
      {save.error && !conflicts && (
        <div className="m-2">
          <FailureAlert failure={failureOf(save.error)} title="The file was not saved" fresh>
            <Button size="sm" onClick={() => save.mutate({ type: gone ? "gone" : "typed" })}>
              Save again
            </Button>
          </FailureAlert>
        </div>
      )}
      <Suspense fallback={<SkeletonRows rows={6} bare />}>
        <CodeEditor
          path={path}
          text={text}
          compareWith={comparing}
          onChange={(typed) =>
            keepDraft(workspace.id, path, { text: typed, etag: draftOf(workspace.id, path)?.etag ?? etag })
          }
          onSave={() => {
            setComparing(null);
            save.mutate({ type: gone ? "gone" : "typed" });
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
