import { useQuery } from "@tanstack/react-query";
import { parse } from "papaparse";
import { lazy, Suspense, useMemo, useState } from "react";
import { baseName } from "../format/format.ts";
import { kindOf, type FileContent } from "../files/file-content.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";

const Markdown = lazy(() => import("../ui/markdown.tsx"));

interface DocumentViewProps {
  path: string;
  content: FileContent;
  /** Where the bytes are. */
  url: string;
  imageUrl?: (path: string) => string;
}

/** A document as people read it: Markdown in the document's face, pages without their scripts, tables, pictures, PDFs. */
export default function DocumentView({ path, content, url, imageUrl }: DocumentViewProps) {
  if (content.type === "image") {
    return (
      <div className="desk desk--picture" tabIndex={0} role="region" aria-label={baseName(path)}>
        <img src={url} alt={baseName(path)} />
      </div>
    );
  }
  if (content.type === "pdf") return <Pdf path={path} url={url} />;
  if (content.type !== "text") return null;
  switch (kindOf(path)) {
    case "html":
      // The frame has no rights at all: its scripts do not run and it is no part of this page.
      return <iframe className="sheet-frame" sandbox="" src={url} title={baseName(path)} />;
    case "table":
      return <Table text={content.text} path={path} />;
    case "markdown":
      return (
        <div className="desk" tabIndex={0} role="region" aria-label={baseName(path)}>
          <article className="page">
            <Suspense fallback={<SkeletonRows rows={6} bare />}>
              <Markdown text={content.text} {...(imageUrl ? { imageUrl } : {})} />
            </Suspense>
          </article>
        </div>
      );
    case "image":
    case "pdf":
    case "text":
      return (
        <div className="desk" tabIndex={0} role="region" aria-label={baseName(path)}>
          <pre className="page page--plain">{content.text}</pre>
        </div>
      );
  }
}

/** The browser's own reader, fed with the bytes: the server marks files so that none of them can act as one of its pages. */
function Pdf({ path, url }: { path: string; url: string }) {
  const pdf = useQuery({
    queryKey: ["pdf", url],
    queryFn: async ({ signal }) => {
      const response = await fetch(url, { signal });
      if (!response.ok) throw new Error(`The server answered ${response.status}`);
      return URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: "application/pdf" }));
    },
    staleTime: Infinity,
  });
  if (pdf.isError) {
    return (
      <div className="p-4">
        <FailureAlert failure={failureOf(pdf.error)} title="The PDF could not be read" />
      </div>
    );
  }
  return pdf.data ? (
    // oxlint-disable-next-line react/iframe-missing-sandbox -- Chromium's reader of PDFs refuses to work in a sandbox; a PDF is no page
    <iframe className="sheet-frame" src={pdf.data} title={baseName(path)} />
  ) : (
    <SkeletonRows rows={4} bare />
  );
}

const rowsAtOnce = 500;

function Table({ text, path }: { text: string; path: string }) {
  const rows = useMemo(() => parse<string[]>(text, { skipEmptyLines: true }).data, [text]);
  const [shown, setShown] = useState(rowsAtOnce);
  const [head, ...body] = rows;
  const numeric = useMemo(
    () => (head ?? []).map((_, column) => body.length > 0 && body.every((row) => isNumber(row[column] ?? ""))),
    [head, body],
  );
  if (!head) return null;
  return (
    <div className="desk" tabIndex={0} role="region" aria-label={baseName(path)}>
      <div className="table-page">
        <table>
          <thead>
            <tr>
              {head.map((cell, column) => (
                <th key={column} scope="col" data-number={numeric[column]}>
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {body.slice(0, shown).map((row, index) => (
              <tr key={index}>
                {head.map((_, column) => (
                  <td key={column} data-number={numeric[column]}>
                    {row[column]}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {body.length > shown && (
          <button className="btn" type="button" onClick={() => setShown(shown + rowsAtOnce)}>
            Show {Math.min(rowsAtOnce, body.length - shown)} more of {body.length} rows
          </button>
        )}
      </div>
    </div>
  );
}

function isNumber(text: string): boolean {
  return text === "" || /^[-+−]?[$€£]?\s?[\d.,\s]+\s?(%|[kM])?$/.test(text);
}
