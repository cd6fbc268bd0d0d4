import { readFile, writeFile } from "node:fs/promises";
import { errorCatalogue } from "../../packages/contract/src/errors.ts";
import { inProject } from "../project.ts";

const documentPath = inProject("docs", "errors.md");

type Row = { code: string; status: string; title: string; hint: string };

const catalogueRows = (): Row[] =>
  Object.entries(errorCatalogue).map(([code, { status, title, hint }]) => ({
    code,
    status: String(status),
    title,
    hint,
  }));

/** Differences between the catalogue of error codes and docs/errors.md, in both directions. */
export async function findErrorDocumentProblems(): Promise<string[]> {
  return compareRows(catalogueRows(), parseTable(await readFile(documentPath, "utf8")));
}

/** One sentence for each code that is missing on a side or is described differently. */
export function compareRows(catalogue: Row[], documented: Row[]): string[] {
  const rows = new Map(documented.map((row) => [row.code, row]));
  const problems = catalogue.flatMap((row) => {
    const other = rows.get(row.code);
    rows.delete(row.code);
    if (!other) return [`docs/errors.md lacks ${row.code}`];
    const same = other.status === row.status && other.title === row.title && other.hint === row.hint;
    return same ? [] : [`docs/errors.md describes ${row.code} differently from the catalogue`];
  });
  const unknown = [...rows.keys()].map((code) => `docs/errors.md lists ${code}, which is not in the catalogue`);
  const all = [...problems, ...unknown];
  return all.length === 0 ? [] : [...all, "`npm run check -- --fix` writes the page anew"];
}

/** The rows of the page's table whose first cell is a code in backquotes. */
export function parseTable(text: string): Row[] {
  return text.split("\n").flatMap((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    const code = /^`(\w+)`$/.exec(cells[1] ?? "")?.[1];
    return code === undefined ? [] : [{ code, status: cells[2] ?? "", title: cells[3] ?? "", hint: cells[4] ?? "" }];
  });
}

/** Writes docs/errors.md from the catalogue. */
export async function writeErrorDocument(): Promise<void> {
  const rows = catalogueRows().map(
    ({ code, status, title, hint }) => `| \`${code}\` | ${status} | ${title} | ${hint} |`,
  );
  const head = [
    "# Error codes",
    "",
    "Every refusal of Alcove carries one of these codes: in the API as `code` of an `application/problem+json` answer, in the",
    "command line as the first word of the message. This page is written from `packages/contract/src/errors.ts` by",
    "`npm run check -- --fix`, and `npm run check` compares the two.",
    "",
    "| code | status | what happened | what to do |",
    "| --- | --- | --- | --- |",
  ];
  await writeFile(documentPath, `${[...head, ...rows].join("\n")}\n`);
}
