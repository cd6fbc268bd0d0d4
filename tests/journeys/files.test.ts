import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { builtPart } from "../../tools/build/build.ts";
import { startTestAlcove, type TestAlcove } from "../fixtures/alcove.ts";
import { requireNoComplaints, startBrowser, type TestBrowser } from "./browser.ts";

let alcove: TestAlcove;
let browser: TestBrowser;
let page: Page;

const name = "desk";

beforeAll(async () => {
  alcove = await startTestAlcove({ web: await builtPart("web") });
  await alcove.plane.client.workspaces.create({ name });
  await sh(
    "mkdir locked book && echo one > book/one.md && echo two > book/two.md && echo secret > shut.txt && echo kept > locked/kept.txt && for n in 1 2 3 4 5 6 7 8 9; do echo $n > chapter-$n-of-the-book.md; done && chmod 555 locked && chmod 000 shut.txt",
  );
  browser = await startBrowser(alcove.plane.address);
  page = await browser.context.newPage();
  await page.goto(alcove.plane.signInLink);
  await page.goto(`/workspaces/${name}?pane=files`);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await alcove[Symbol.asyncDispose]();
});
// What is refused here is refused on purpose.
afterEach(() => requireNoComplaints(browser, (complaint) => /status of 4(03|04|12)/.test(complaint)));

const visible = (locator: Locator) => locator.waitFor({ state: "visible" });
const gone = (locator: Locator) => locator.waitFor({ state: "hidden" });
const sh = (command: string) =>
  alcove.plane.client.workspaces.execAndWait(name, { command: ["sh", "-c", command], directory: "user/projects" });
const leaf = (file: string) => page.getByRole("treeitem").filter({ has: page.getByText(file, { exact: true }) });

async function choose(file: string, item: string): Promise<void> {
  await leaf(file).hover();
  await page.getByRole("button", { name: `More about ${file}` }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

test("what may not be read or written is told in words", async () => {
  await leaf("shut.txt").click();
  await visible(
    page.getByText('Cannot use "user/projects/shut.txt": the workspace\'s user may not read or write here'),
  );
  await choose("locked", "New file here");
  await page.getByLabel("New file in locked").fill("a.txt");
  await page.getByLabel("New file in locked").press("Enter");
  await visible(
    page
      .getByRole("alert")
      .getByText('Cannot use "user/projects/locked/a.txt": the workspace\'s user may not read or write here'),
  );
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Close shut.txt" }).click();
  expect(await page.locator(".doc-tab").count()).toBe(0);
});

test("a file that the button cannot save says why", async () => {
  await leaf("locked").click();
  await leaf("kept.txt").click();
  await page.getByRole("textbox", { name: "user/projects/locked/kept.txt" }).click();
  await page.keyboard.insertText("Changed. ");
  await page.getByRole("button", { name: /^Save/ }).click();
  await visible(page.getByRole("alert").getByText("The file was not saved"));
  await page.getByRole("button", { name: "Close kept.txt" }).click();
});

test("the tab of a file that is opened is in view among many", async () => {
  const tabs = page.locator(".editor__files");
  const isInView = async (file: string) => {
    const [row, tab] = await Promise.all([
      tabs.boundingBox(),
      tabs.locator(".doc-tab", { hasText: file }).boundingBox(),
    ]);
    return row !== null && tab !== null && tab.x >= row.x - 1 && tab.x + tab.width <= row.x + row.width + 1;
  };
  for (let number = 1; number <= 9; number += 1) {
    await leaf(`chapter-${number}-of-the-book.md`).click();
    await expect.poll(() => isInView(`chapter-${number}-of-the-book.md`)).toBe(true);
  }
  expect(await isInView("chapter-1-of-the-book.md")).toBe(false);
  await leaf("chapter-1-of-the-book.md").click();
  await expect.poll(() => isInView("chapter-1-of-the-book.md")).toBe(true);
  for (let number = 1; number <= 9; number += 1)
    await page.getByRole("button", { name: `Close chapter-${number}-of-the-book.md` }).click();
});

const editorOf = (file: string) => page.getByRole("textbox", { name: `user/projects/${file}` });

test("open files follow a folder that is renamed, with what was not saved", async () => {
  await leaf("book").click();
  await leaf("one.md").click();
  await leaf("two.md").click();
  await editorOf("book/two.md").press("Control+Home");
  await page.keyboard.insertText("Not saved yet. ");
  await choose("book", "Rename or move");
  await page.getByLabel("New name of book").fill("novel");
  await page.getByLabel("New name of book").press("Enter");
  await visible(editorOf("novel/two.md").getByText("Not saved yet. two"));
  await page.getByRole("button", { name: "one.md", exact: true }).click();
  await visible(editorOf("novel/one.md").getByText("one"));
  await page.getByRole("button", { name: /^two\.md/ }).click();
  await page.getByRole("button", { name: /^Save/ }).click();
  await gone(page.getByRole("button", { name: /^Save/ }));
  expect((await sh("cat novel/two.md; ls -d book")).stdout).toBe("Not saved yet. two\n");
});

test("what was not saved outlives its file, and can be saved again", async () => {
  await editorOf("novel/two.md").click();
  await page.keyboard.insertText("Still here. ");
  await choose("novel", "Delete");
  await visible(page.getByText("What you typed and did not save stays open."));
  await page.getByRole("button", { name: "Delete the folder" }).click();
  await visible(page.getByText("two.md was deleted or moved"));
  await gone(page.getByRole("button", { name: "Close one.md" }));
  await editorOf("novel/two.md").click();
  await page.keyboard.insertText("And on. ");
  await page.getByRole("button", { name: "Save it again" }).click();
  await gone(page.getByText("two.md was deleted or moved"));
  expect((await sh("cat novel/two.md")).stdout).toContain("Still here. ");

  await page.keyboard.insertText("Once more. ");
  await sh("rm novel/two.md");
  await page.getByRole("button", { name: /^Save/ }).click();
  await visible(page.getByText("two.md was deleted or moved"));
  await page.getByRole("button", { name: "Save it again" }).click();
  await gone(page.getByText("two.md was deleted or moved"));
  expect((await sh("cat novel/two.md")).stdout).toContain("Once more. ");
});

test("a long name without a place to break stays within a phone's width", async () => {
  const long = "pneumonoultramicroscopicsilicovolcanoconiosis".repeat(2);
  const workspace = long.slice(0, 40);
  await alcove.plane.client.workspaces.create({ name: workspace });
  await alcove.plane.client.files.write(workspace, `user/projects/${long}.md`, `# ${long}\n`);
  await page.setViewportSize({ width: 390, height: 844 });
  const tooWide = () =>
    page.evaluate<string[]>(
      `[...document.querySelectorAll(".tree, .editor, .dialog, .dialog .btn, .setting__text, .topbar")]
        .filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => part.className)`,
    );
  await page.goto(`/workspaces/${workspace}?pane=files`);
  await leaf(`${long}.md`).click();
  await visible(editorOf(`${long}.md`));
  await choose(`${long}.md`, "Rename or move");
  await visible(page.getByLabel(`New name of ${long}.md`));
  expect(await tooWide()).toEqual([]);
  await choose(`${long}.md`, "Delete");
  await visible(page.getByRole("alertdialog"));
  expect(await tooWide()).toEqual([]);
  await page.goto("/workspaces");
  for (const item of ["Rename", "Delete"]) {
    await page.getByRole("button", { name: `More about ${workspace}` }).click();
    await page.getByRole("menuitem", { name: item }).click();
    await visible(page.locator(".dialog"));
    expect(await tooWide()).toEqual([]);
    await page.getByRole("button", { name: "Cancel" }).click();
    await gone(page.locator(".dialog"));
  }
});
