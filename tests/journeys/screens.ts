import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { inProject } from "../../tools/project.ts";
import { axeFindings } from "./browser.ts";

/** The folder of the pictures that the documentation shows; null in ordinary test runs, which leave the tree as it is. */
const pictures = process.env["ALCOVE_SCREENSHOTS"] === "1" ? inProject("docs", "screens") : null;

interface Screen {
  /** Name of its pictures. */
  readonly name: string;
  readonly address: string;
  /** Resolves when the screen shows all that it will show; may open something first. */
  readonly ready: (page: Page) => Promise<unknown>;
}

const widths = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

/** Opens a screen in both themes and in both sizes: axe finds nothing, and nothing is wider than the window. */
export async function inspectScreen(context: BrowserContext, { name, address, ready }: Screen): Promise<void> {
  const page = await context.newPage();
  const findings: string[] = [];
  for (const size of widths) {
    await page.setViewportSize(size);
    for (const theme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await page.goto(address);
      await ready(page);
      await page.evaluate("document.fonts.ready.then(() => undefined)");
      const place = `${name} at ${size.width} in ${theme}`;
      for (const finding of await axeFindings(page)) findings.push(`${place}: ${finding}`);
      const width = await page.evaluate<number>("document.documentElement.scrollWidth");
      if (width > size.width) findings.push(`${place}: ${width - size.width} px wider than the window`);
      if (pictures !== null && (size.width === 1440 || theme === "light")) {
        await mkdir(pictures, { recursive: true });
        const suffix = size.width === 1440 ? theme : "phone";
        await page.screenshot({ path: path.join(pictures, `${name}-${suffix}.png`) });
      }
    }
  }
  await page.close();
  expect(findings).toEqual([]);
}

/** Keeps a picture of the page as it stands for the documentation, when pictures are wanted. */
export async function keepPicture(page: Page, file: string): Promise<void> {
  if (pictures !== null) await page.screenshot({ path: inProject("docs", file) });
}
