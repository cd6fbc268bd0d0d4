import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { builtPart } from "../../tools/build/build.ts";
import { type ControlPlaneProcess, startTestAlcove, type TestAlcove } from "../fixtures/alcove.ts";
import { requireNoComplaints, startBrowser, type TestBrowser } from "./browser.ts";

let alcove: TestAlcove;
let plane: ControlPlaneProcess;
let browser: TestBrowser;
let page: Page;

const name = "shared";
const address = `/workspaces/${name}`;

beforeAll(async () => {
  alcove = await startTestAlcove({ web: await builtPart("web") });
  plane = alcove.plane;
  await plane.client.workspaces.create({ name });
  await sh("echo one > first.md");
  browser = await startBrowser(plane.address);
  page = await browser.context.newPage();
  await page.goto(plane.signInLink);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await alcove[Symbol.asyncDispose]();
});
afterEach(() => requireNoComplaints(browser));

const visible = (locator: Locator) => locator.waitFor({ state: "visible" });
const sh = (command: string) =>
  plane.client.workspaces.execAndWait(name, { command: ["sh", "-c", command], directory: "user/projects" });
const file = (of: string) => page.getByRole("treeitem", { name: of });

test("who comes back to the files sees what was made meanwhile", async () => {
  await page.goto(`${address}?pane=files`);
  await visible(file("first.md"));
  await page.getByRole("tab", { name: /^Computer/ }).click();
  await sh("echo two > second.md");
  await page.getByRole("tab", { name: /^Files/ }).click();
  await visible(file("second.md"));
});

test("a stop and a start from elsewhere leave open what was open, with what was not saved", async () => {
  await file("first.md").click();
  const editor = page.getByRole("textbox", { name: "user/projects/first.md" });
  await editor.click();
  await page.keyboard.insertText("not saved yet ");
  await visible(page.getByRole("button", { name: /^Save/ }));
  await plane.client.workspaces.stop(name);
  await visible(page.getByRole("heading", { name: `${name} is asleep` }));
  await plane.client.workspaces.start(name);
  await visible(editor.getByText("not saved yet"));
});

test("the log shows what the box printed last", async () => {
  await page.goto(`${address}?pane=computer&part=log`);
  const log = page.getByRole("log", { name: "Log of the box" });
  await visible(log.getByText("The daemon serves").first());
  await plane.client.workspaces.stop(name);
  const printed = (await plane.client.workspaces.log(name)).trim().split("\n").length;
  await expect.poll(() => log.locator(".log__line").count()).toBe(printed);
});

test("another workspace of the same name is shown with its own files", async () => {
  await page.goto(`${address}?pane=files`);
  await visible(file("first.md"));
  await plane.client.workspaces.delete(name);
  await expect.poll(() => plane.client.workspaces.create({ name }).then(Boolean, () => false)).toBe(true);
  await sh("echo other > other.md");
  await visible(file("other.md"));
  expect(await file("first.md").count()).toBe(0);
  // In between there was none of that name.
  requireNoComplaints(browser, (complaint) => complaint.includes("404"));
});

test("pages in the background leave the browser's connections to the one in front", async () => {
  const hidden = "Object.defineProperty(document, 'hidden', { get: () => true })";
  const background = await Promise.all(Array.from({ length: 6 }, () => browser.context.newPage()));
  for (const other of background) {
    await other.addInitScript(hidden);
    // The last one may get no connection yet: all six are taken.
    await other.goto("/workspaces", { waitUntil: "commit" });
  }
  await page.goto("/workspaces");
  await visible(page.getByRole("link", { name, exact: true }));
  await plane.client.workspaces.create({ name: "another" });
  await visible(page.getByRole("link", { name: "another", exact: true }));
  for (const other of background) await other.close();
});
