import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { builtPart } from "../../tools/build/build.ts";
import { startTestAlcove, type TestAlcove } from "../fixtures/alcove.ts";
import { startTestDocker } from "../fixtures/docker.ts";
import { makeSmallRoot, tarOf } from "../fixtures/root-archives.ts";
import { requireNoComplaints, startBrowser, type TestBrowser } from "./browser.ts";
import { inspectScreen } from "./screens.ts";

const docker = await startTestDocker();
let alcove: TestAlcove;
let browser: TestBrowser;
let page: Page;
let folder: string;

beforeAll(async () => {
  alcove = await startTestAlcove({ web: await builtPart("web"), docker: docker?.address ?? "none" });
  folder = await mkdtemp(path.join(tmpdir(), "alcove-templates-"));
  browser = await startBrowser(alcove.plane.address);
  page = await browser.context.newPage();
  await page.goto(alcove.plane.signInLink);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await alcove[Symbol.asyncDispose]();
  await docker?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => requireNoComplaints(browser));

const visible = (locator: Locator) => locator.waitFor({ state: "visible" });

test("templates of packages and of a file are added in the settings", async () => {
  await page.goto("/settings/templates");
  await visible(page.getByText("Full-stack"));
  await page.getByRole("button", { name: "Add a template" }).click();
  await page.getByLabel("Name").fill("Media tools");
  await page.getByLabel("Debian packages").fill("ffmpeg, imagemagick");
  await page.getByLabel("Ports").fill("8000 8001");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await visible(page.getByText("With ffmpeg, imagemagick"));
  expect(await alcove.plane.client.templates.get("media-tools")).toMatchObject({
    ports: [8000, 8001],
    state: "missing",
  });

  await makeSmallRoot(path.join(folder, "root"));
  const archive = path.join(folder, "root.tar");
  await writeFile(archive, await tarOf(path.join(folder, "root")));
  await page.getByRole("button", { name: "Add a template" }).click();
  await page.getByRole("button", { name: "A file" }).click();
  await page.getByLabel("Name").fill("tiny");
  await page.getByLabel("File").setInputFiles(archive);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await visible(page.getByText("A root file system of your own"));
  await visible(page.getByText("without sudo, tmux, git"));
  await inspectScreen(browser.context, {
    name: "settings-templates",
    address: "/settings/templates",
    ready: (screen) => visible(screen.getByText("A root file system of your own")),
  });
});

test("what is no root file system is refused with the reason, beside the form", async () => {
  const archive = path.join(folder, "notes.tar");
  await writeFile(archive, "these are only notes".repeat(100));
  await page.getByRole("button", { name: "Add a template" }).click();
  await page.getByRole("button", { name: "A file" }).click();
  await page.getByLabel("Name").fill("notes");
  await page.getByLabel("File").setInputFiles(archive);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await visible(page.getByRole("alert").getByText("The template was not added"));
  browser.complaints.splice(0);
  await page.getByRole("button", { name: "Cancel" }).click();
});

test.skipIf(docker === undefined)("a Dockerfile is written into the form", async () => {
  await page.goto("/settings/templates");
  await page.getByRole("button", { name: "Add a template" }).click();
  await page.getByRole("button", { name: "Dockerfile" }).click();
  await page.getByLabel("Name").fill("written");
  await page.getByLabel("Dockerfile", { exact: true }).fill("FROM scratch\nENV A=1\n");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await visible(page.getByText("Built of a Dockerfile of your own"));
  await inspectScreen(browser.context, {
    name: "settings-templates-new",
    address: "/settings/templates",
    ready: async (screen) => {
      await screen.getByRole("button", { name: "Add a template" }).click();
      await screen.getByRole("button", { name: "devcontainer.json" }).click();
      await visible(screen.getByLabel("Dockerfile", { exact: true }));
    },
  });
  await alcove.plane.client.templates.delete("written");
});

test("a Nix expression is written into the form, and its file is chosen", async () => {
  await page.goto("/settings/templates");
  await page.getByRole("button", { name: "Add a template" }).click();
  await page.getByRole("button", { name: "Nix", exact: true }).click();
  await page.getByLabel("Name").fill("purely");
  await page.getByRole("button", { name: "flake.nix" }).click();
  await page.getByLabel("flake.nix", { exact: true }).fill("{ outputs = { self }: { }; }\n");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await visible(page.getByText("As a flake.nix of your own describes it"));
  await alcove.plane.client.templates.delete("purely");
});

test("a new workspace begins with a template that is chosen, in the version that is chosen", async () => {
  await page.goto("/workspaces");
  await page.getByRole("button", { name: "New workspace with a template, limits or network" }).click();
  const dialog = page.getByRole("dialog", { name: "New workspace" });
  await dialog.getByText("Node", { exact: true }).click();
  await dialog.getByRole("button", { name: "22" }).click();
  await dialog.getByText("tiny", { exact: true }).click();
  await dialog.getByLabel("Name").fill("first-of-it");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.waitForURL(/workspaces\/first-of-it/);
  await expect
    .poll(() => alcove.plane.client.workspaces.get("first-of-it"), { timeout: 20_000 })
    .toMatchObject({ state: "ready", template: "tiny" });
  await inspectScreen(browser.context, {
    name: "new-workspace-template",
    address: "/workspaces",
    ready: async (screen) => {
      await screen.getByRole("button", { name: "New workspace with a template, limits or network" }).click();
      const open = screen.getByRole("dialog", { name: "New workspace" });
      await open.getByText("Node", { exact: true }).click();
      await visible(open.getByRole("button", { name: "22" }));
    },
  });
});

test("a name that is taken keeps the dialog with what was chosen, and one that breaks the rule is told at once", async () => {
  await page.goto("/workspaces");
  await page.getByRole("button", { name: "New workspace with a template, limits or network" }).click();
  const dialog = page.getByRole("dialog", { name: "New workspace" });
  await dialog.getByText("tiny", { exact: true }).click();
  await visible(dialog.getByText("At most 40 lower-case letters, digits and hyphens, with no hyphen at either end"));
  const field = dialog.getByLabel("Name");
  await field.fill("First of it!");
  await visible(dialog.getByRole("alert").getByText("A name has no “!”"));
  await field.press("Enter");
  expect((await alcove.plane.client.workspaces.list()).items.map((item) => item.name)).toEqual(["first-of-it"]);
  await field.fill("First of it");
  await field.press("Enter");
  await visible(dialog.getByRole("alert").getByText('You already have a workspace named "first-of-it".'));
  browser.complaints.splice(0);
  expect(await field.inputValue()).toBe("first-of-it");
  expect(await dialog.getByRole("radio", { name: /tiny/ }).isChecked()).toBe(true);
  await field.fill("second-of-it");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.waitForURL(/workspaces\/second-of-it/);
  await dialog.waitFor({ state: "hidden" });
  expect(await alcove.plane.client.workspaces.get("second-of-it")).toMatchObject({ template: "tiny" });
});

test("a template that no workspace has is deleted", async () => {
  await page.goto("/settings/templates");
  await page.getByRole("button", { name: "More about media-tools" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete the template" }).click();
  await page.getByText("With ffmpeg, imagemagick").waitFor({ state: "hidden" });
});
