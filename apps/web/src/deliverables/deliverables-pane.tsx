import type { Workspace } from "@alcove/contract/api/workspace";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronLeft, Download } from "lucide-react";
import { lazy, Suspense } from "react";
import { extensionOf } from "../chat/turn-end.tsx";
import { baseName, formatBytes, formatTime } from "../format/format.ts";
import { deliverableQuery, kindOf } from "../files/file-content.ts";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { buttonClass, IconButton } from "../ui/button.tsx";
import { Empty, SkeletonRows } from "../ui/skeleton.tsx";
import { newestDeliverables, type Deliverable } from "./newest.ts";

const DocumentView = lazy(() => import("./document-view.tsx"));

/** What runs made for people: as small pages, and one of them to read. */
export default function DeliverablesPane({ workspace }: { workspace: Workspace }) {
  const runs = useQuery(queries.workspaceRuns(workspace.name));
  const { path } = useSearch({ from: "/frame/workspaces/$name" });
  const navigate = useNavigate({ from: "/workspaces/$name" });
  if (!runs.data)
    return runs.isError ? <FailureAlert failure={failureOf(runs.error)} /> : <SkeletonRows rows={3} bare />;
  const all = newestDeliverables(runs.data.items);
  const open = all.find((deliverable) => deliverable.file.path === path);
  const show = (next: string | undefined) => void navigate({ search: (old) => ({ ...old, path: next }) });
  if (open) return <Open deliverable={open} onBack={() => show(undefined)} />;
  if (all.length === 0) {
    return (
      <Empty title="No deliverables yet">
        Documents, tables, pictures and pages that an agent makes land here when its turn ends.
      </Empty>
    );
  }
  return (
    <div className="pane pane--deliverables" tabIndex={0} role="region" aria-label="Deliverables">
      {all.map((deliverable) => (
        <Sheet key={deliverable.file.path} deliverable={deliverable} onOpen={() => show(deliverable.file.path)} />
      ))}
    </div>
  );
}

function factsOf({ run, file, version }: Deliverable): string {
  return [
    version > 1 ? `Version ${version}` : null,
    formatTime(run.endedAt ?? run.createdAt),
    file.size === null ? null : formatBytes(file.size),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Texts up to this size get a picture of their beginning. */
const smallText = 200_000;

function Sheet({ deliverable, onOpen }: { deliverable: Deliverable; onOpen: () => void }) {
  const { run, file } = deliverable;
  const kind = kindOf(file.path);
  const readable = kind === "markdown" || kind === "table" || kind === "text";
  const content = useQuery({
    ...deliverableQuery(run.id, file.path),
    enabled: readable && (file.size ?? 0) < smallText,
  });
  const text = content.data?.type === "text" ? content.data.text : "";
  return (
    <button className="sheet" type="button" onClick={onOpen}>
      <span className={kind === "table" ? "sheet__page sheet__page--table" : "sheet__page"} aria-hidden="true">
        {kind === "image" ? (
          <img src={client.runs.fileUrl(run.id, file.path)} alt="" loading="lazy" />
        ) : kind === "table" ? (
          text
            .split("\n")
            .slice(0, 8)
            .map((line, index) => (
              <span key={index}>
                {line
                  .split(/[,;\t]/)
                  .slice(0, 2)
                  .map((cell, column) => (column === 0 ? cell : <i key={column}>{cell}</i>))}
              </span>
            ))
        ) : text === "" ? (
          <span className="paper paper--large">{extensionOf(file.path)}</span>
        ) : (
          firstLines(text).map((line, index) =>
            line.heading ? <b key={index}>{line.text}</b> : <span key={index}>{line.text}</span>,
          )
        )}
      </span>
      <span className="sheet__text">
        <b className="strong cut">{baseName(file.path)}</b>
        <span className="quiet">{factsOf(deliverable)}</span>
      </span>
    </button>
  );
}

function firstLines(text: string): { text: string; heading: boolean }[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^[-|=\s]+$/.test(line))
    .slice(0, 7)
    .map((line) => ({ heading: line.startsWith("#"), text: line.replace(/^#+\s*/, "").replace(/[*_`]/g, "") }));
}

function Open({ deliverable, onBack }: { deliverable: Deliverable; onBack: () => void }) {
  const { run, file } = deliverable;
  const content = useQuery(deliverableQuery(run.id, file.path));
  const url = client.runs.fileUrl(run.id, file.path);
  const folder = file.path.slice(0, file.path.lastIndexOf("/"));
  return (
    <div className="pane pane--document">
      <div className="subtabs">
        <IconButton label="All deliverables" onClick={onBack}>
          <ChevronLeft className="icon" />
        </IconButton>
        <b className="strong cut">{baseName(file.path)}</b>
        <span className="quiet subtabs__who">{factsOf(deliverable)}</span>
        <span className="grow" />
        <a
          className={buttonClass({ size: "sm" })}
          href={client.runs.fileUrl(run.id, file.path, { download: true })}
          download
        >
          <Download className="icon icon--s" /> Download
        </a>
      </div>
      <div className="min-h-0">
        {content.isError && (
          <div className="p-4">
            <FailureAlert failure={failureOf(content.error)} title="This version cannot be read" />
          </div>
        )}
        {content.isPending && <SkeletonRows rows={6} bare />}
        {content.data && (content.data.type === "binary" || content.data.type === "too_large") && (
          <Empty title="Download it to open it">{baseName(file.path)} opens in a program on your computer.</Empty>
        )}
        {content.data && (
          <Suspense fallback={<SkeletonRows rows={6} bare />}>
            <DocumentView
              path={file.path}
              content={content.data}
              url={url}
              imageUrl={(image) => client.runs.fileUrl(run.id, `${folder}/${image}`)}
            />
          </Suspense>
        )}
      </div>
    </div>
  );
}
