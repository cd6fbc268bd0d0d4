import { expect, test } from "vitest";
import { compareRows, parseTable } from "./error-document.ts";

const row = { code: "not_found", status: "404", title: "There is nothing", hint: "Look elsewhere." };

test("a code that one side lacks, or describes differently, is named", () => {
  const documented = parseTable(
    "| `not_found` | 404 | There is nothing | Look elsewhere. |\n| --- | --- | --- | --- |",
  );
  expect(documented).toEqual([row]);
  expect(compareRows([row], documented)).toEqual([]);
  expect(compareRows([row], [])[0]).toBe("docs/errors.md lacks not_found");
  expect(compareRows([], documented)[0]).toMatch(/lists not_found/);
  expect(compareRows([{ ...row, status: "410" }], documented)[0]).toMatch(/differently/);
});
