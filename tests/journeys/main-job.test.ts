import { readFile } from "node:fs/promises";
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { builtPart } from "../../tools/build/build.ts";
import { type FakeModel, startFakeModel } from "../fakes/model/fake-model.ts";
import { type Script, scriptedPrompt } from "../fakes/model/script.ts";
import { installedAgents } from "../fixtures/agents.ts";
import { type ControlPlaneProcess, startTestAlcove, type TestAlcove } from "../fixtures/alcove.ts";
import { facesOf, requireNoComplaints, startBrowser, type TestBrowser } from "./browser.ts";
import { inspectScreen, keepPicture } from "./screens.ts";

let model: FakeModel;
let alcove: TestAlcove;
let plane: ControlPlaneProcess;
let browser: TestBrowser;
let page: Page;
/** Address of the workspace's page, known once it is made. */
let workspace = "";

beforeAll(async () => {
  model = await startFakeModel();
  alcove = await startTestAlcove({ agents: await installedAgents(), web: await builtPart("web") });
  plane = alcove.plane;
  browser = await startBrowser(plane.address);
  page = await browser.context.newPage();
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await alcove[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});
afterEach(() => requireNoComplaints(browser));

const notes = `# Notes for the Q4 update

- Recurring revenue reached $1.24 M, up 18 % over the quarter
- Twelve new customers signed, none left
- Heron, the self-hosted edition, ships in March
- Two engineering roles are still open
`;

const visible = (locator: Locator) => locator.waitFor({ state: "visible" });
const gone = (locator: Locator) => locator.waitFor({ state: "hidden" });
const tab = (name: string, on = page) => on.getByRole("tab", { name: new RegExp(`^${name}`) });
const conversation = () => page.getByRole("region", { name: "Conversation" });
const newestTurn = () => conversation().getByRole("article").last();
/** A line of the terminal that shows this text alone. */
const printed = (text: string) => page.locator(".xterm-rows > div", { hasText: new RegExp(`^${text}\\s*$`) });

async function ask(prompt: string): Promise<void> {
  const before = await conversation().getByRole("article").count();
  const message = page.getByRole("textbox", { name: "Message" });
  await message.fill(prompt);
  await message.press("Enter");
  await visible(conversation().getByRole("article").nth(before));
}

test("who is not signed in stands at the door", async () => {
  await inspectScreen(browser.context, {
    name: "sign-in",
    address: "/sign-in",
    ready: (screen) => visible(screen.getByText("Open the link that npm start printed")),
  });
});

test("the link that the start prints opens the page signed in, once", async () => {
  await page.goto(plane.signInLink);
  await visible(page.getByRole("heading", { name: "A computer for every task" }));
  expect(new URL(page.url()).pathname).toBe("/");
  await using other = await startBrowser(plane.address);
  const stranger = await other.context.newPage();
  await stranger.goto(plane.signInLink);
  await visible(stranger.getByText("This link was used or has expired"));
});

test("without a model the first page says what to connect and what works without one", async () => {
  await inspectScreen(browser.context, {
    name: "first-run",
    address: "/",
    ready: (screen) => visible(screen.getByRole("heading", { name: "Connect a model and agents can work here" })),
  });
});

test("a new workspace becomes ready and opens, and a prompt is kept as a draft until there is a model", async () => {
  await page
    .getByRole("main")
    .getByRole("button", { name: /^New workspace/ })
    .click();
  await page.waitForURL(/\/workspaces\/[a-z0-9-]+$/);
  workspace = new URL(page.url()).pathname;
  await visible(page.getByText("Nothing here yet."));
  const draftIsKept = (screen: Page) => visible(screen.getByText("Kept as a draft until a model is connected"));
  await draftIsKept(page);
  await inspectScreen(browser.context, {
    name: "workspace-without-model",
    address: `${workspace}?pane=chat`,
    ready: draftIsKept,
  });
});

test("a file is written in the page's editor", async () => {
  await page.getByRole("button", { name: "New file" }).click();
  await page.getByLabel("New file in projects").fill("notes.md");
  await page.getByLabel("New file in projects").press("Enter");
  const editor = page.getByRole("textbox", { name: "user/projects/notes.md" });
  await editor.click();
  await page.keyboard.insertText(notes);
  await visible(page.getByRole("button", { name: /^Save/ }));
  await page.keyboard.press("Control+s");
  await gone(page.getByRole("button", { name: /^Save/ }));
  const stored = await plane.client.files.read(workspaceName(), "user/projects/notes.md");
  expect(await stored.text()).toBe(notes);
});

test("a file is uploaded, opened and looked at as a page", async () => {
  const table = "Measure,Q3,Q4\nRevenue,1.05,1.24\nCustomers,49,61\n";
  await page
    .getByLabel("Files to upload")
    .setInputFiles({ name: "figures.csv", mimeType: "text/csv", buffer: Buffer.from(table) });
  await page.getByRole("treeitem", { name: /figures\.csv/ }).click();
  await page.getByRole("button", { name: "Page", exact: true }).click();
  await visible(page.getByRole("cell", { name: "1.24" }));
});

test("a command typed in the terminal answers, and a reload shows it still", async () => {
  await tab("Terminal").click();
  await visible(page.locator(".xterm-rows > div", { hasText: /\$\s*$/ }).first());
  await page.keyboard.type("echo hel''lo");
  await page.keyboard.press("Enter");
  await visible(printed("hello"));
  await page.reload();
  await visible(printed("hello"));
  expect(await printed("hello").count()).toBe(1);
  await page.keyboard.type("pwd");
  await page.keyboard.press("Enter");
  await visible(printed("/workspace/user/projects"));
});

test("text is set in the faces that come with the product", async () => {
  expect(await facesOf(page, "h1")).toEqual(["Inter"]);
  expect(await facesOf(page, ".xterm-rows > div > span")).toEqual(["JetBrains Mono"]);
});

test("a wrong key is refused where it was entered, and the right one makes agents ready", async () => {
  await page.goto("/settings/agents");
  const row = page.locator(".setting", { hasText: "Claude models; used by Claude Code" });
  await row.getByRole("button", { name: "Connect" }).click();
  await page.getByLabel("Key", { exact: true }).fill("sk-wrong");
  await page.getByRole("button", { name: "Use another address" }).click();
  await page.getByLabel("Base URL").fill(model.url);
  await page.getByRole("button", { name: "Check and save" }).click();
  await visible(page.getByText("Anthropic does not accept this key"));
  const agent = page.locator(".setting", { hasText: "Claude Code" }).last();
  await visible(agent.getByText("Key refused"));
  await inspectScreen(browser.context, {
    name: "settings-agents-refused",
    address: "/settings/agents",
    ready: (screen) => visible(screen.getByText("Anthropic does not accept this key")),
  });
  await page.getByLabel("New Anthropic key").fill(model.key);
  await page.getByRole("button", { name: "Check and save" }).click();
  await visible(page.getByText("Works", { exact: true }));
  await gone(page.getByText("Anthropic does not accept this key"));
  await visible(agent.getByText("Ready"));
  expect(await page.content()).not.toContain(model.key);
});

test("a prompt becomes a document: what the agent does appears, then the deliverable with its download", async () => {
  await page.goto(workspace);
  await page.getByRole("button", { name: /^Agent/ }).click();
  await page.getByRole("option", { name: /Claude Code/ }).click();
  await ask("Create a brief investor update about Q4 from notes.md");
  await visible(newestTurn().getByText("cat notes.md"));
  await visible(newestTurn().getByText("The investor update q4 is ready"));
  await visible(
    newestTurn()
      .getByRole("button", { name: /^Thought/ })
      .first(),
  );

  await newestTurn().getByRole("button", { name: "1 file changed" }).click();
  await visible(newestTurn().getByRole("listitem").getByText("investor-update-q4.md"));

  await newestTurn()
    .getByRole("group", { name: "Deliverables" })
    .getByRole("button", { name: /investor-update-q4\.md/ })
    .click();
  const document = page.getByRole("region", { name: "investor-update-q4.md" });
  await visible(document.getByRole("heading", { name: "Investor update Q4" }));
  await visible(document.getByText("Heron, the self-hosted edition, ships in March"));
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe("investor-update-q4.md");
  expect(await readFile(await download.path(), "utf8")).toMatch(/^# Investor update Q4\n/);
  await page.reload();
  await visible(newestTurn().getByRole("button", { name: "Undo this turn" }));
  await visible(document.getByRole("heading", { name: "Investor update Q4" }));
  await keepPicture(page, "workspace.png");
});

test("every screen is free of findings in both themes, wide and on a phone", async () => {
  const at = (pane: string, rest = "") => `${workspace}?pane=${pane}${rest}`;
  const document = (screen: Page) =>
    visible(screen.getByRole("region", { name: "investor-update-q4.md" }).getByRole("heading", { level: 1 }));
  const ended = (screen: Page) => visible(screen.getByRole("button", { name: "Undo this turn" }).first());
  const heading = (name: string) => (screen: Page) => visible(screen.getByRole("heading", { level: 1, name }));
  const openNotes = async (screen: Page) => {
    await screen.getByRole("treeitem", { name: /notes\.md/ }).click();
    await visible(screen.getByText("Recurring revenue reached"));
  };
  const screens = {
    home: { address: "/", ready: (screen: Page) => visible(screen.getByRole("heading", { name: "Finished" })) },
    workspaces: { address: "/workspaces", ready: heading("Workspaces") },
    "workspace-chat": { address: at("chat"), ready: ended },
    "workspace-files": { address: at("files"), ready: openNotes },
    "workspace-terminal": {
      address: at("terminal"),
      ready: (screen: Page) => visible(screen.locator(".xterm-rows > div", { hasText: /^hello\s*$/ })),
    },
    "workspace-changes": { address: at("changes"), ready: ended },
    "workspace-deliverables": {
      address: at("deliverables"),
      ready: (screen: Page) => visible(screen.locator("button.sheet", { hasText: "investor-update-q4.md" })),
    },
    "workspace-document": {
      address: at("deliverables", "&path=user%2Fprojects%2Finvestor-update-q4.md"),
      ready: document,
    },
    "workspace-new": { address: at("chat", "&session=new"), ready: heading(workspaceName()) },
    "settings-agents": {
      address: "/settings/agents",
      ready: (screen: Page) => visible(screen.getByText("Works", { exact: true })),
    },
    "settings-account": { address: "/settings/account", ready: heading("Account") },
    "settings-appearance": { address: "/settings/appearance", ready: heading("Appearance") },
    "settings-health": {
      address: "/settings/health",
      ready: (screen: Page) => visible(screen.getByRole("heading", { name: "This server" })),
    },
    palette: {
      address: "/",
      ready: async (screen: Page) => {
        await visible(screen.getByRole("heading", { name: "Finished" }));
        await screen.keyboard.press("Control+k");
        await visible(screen.getByRole("dialog"));
      },
    },
  };
  for (const [name, screen] of Object.entries(screens)) await inspectScreen(browser.context, { name, ...screen });
});

/** Some seconds of work, in parts that can be told from each other. */
const slowWork = (mark: string): Script => [
  { delay: 60 },
  { think: `I think about ${mark} first, and about the order of what comes.` },
  { say: `${mark} one: I begin and look at what is here.` },
  { shell: `echo ${mark}-a; sleep 0.5` },
  { say: `${mark} two: that is enough to go on with the next part.` },
  { shell: `echo ${mark}-b; sleep 0.5` },
  { say: `${mark} three: now I write down what I found.` },
  { write: { path: `${mark}.md`, content: `# ${mark}\n\nWritten once.\n` } },
  { say: `${mark} four: everything is done.` },
];
const wholeTranscript = (mark: string) => [
  `${mark} one: I begin and look at what is here.`,
  `echo ${mark}-a; sleep 0.5`,
  `${mark} two: that is enough to go on with the next part.`,
  `echo ${mark}-b; sleep 0.5`,
  `${mark} three: now I write down what I found.`,
  `${mark}.md`,
  `${mark} four: everything is done.`,
];

/** Messages and calls of the newest turn in the order of the page. */
async function transcript(): Promise<string[]> {
  const parts = newestTurn().locator(".say, .tool__head code");
  return (await parts.allInnerTexts()).map((text) => text.trim().split("\n")[0] ?? "");
}

test("a reload in the middle of a run shows everything so far, and the rest once and in order", async () => {
  await ask(scriptedPrompt("Work slowly on alder.", slowWork("alder")));
  const stop = page.getByRole("button", { name: /^Stop/ });
  await visible(newestTurn().getByText("alder two"));
  await visible(stop);
  await page.reload();
  await visible(newestTurn().getByText("alder one: I begin and look at what is here."));
  await visible(stop);
  await visible(newestTurn().getByRole("group", { name: "Deliverables" }).getByText("alder.md"));
  expect(await transcript()).toEqual(wholeTranscript("alder"));
  await gone(stop);
});

test("the page finds the server again that was killed in the middle of a run, and nothing is missing or twice", async () => {
  await ask(scriptedPrompt("Work slowly on birch.", slowWork("birch")));
  await visible(newestTurn().getByText("birch two"));
  browser.serverIsAway = true;
  await plane.kill();
  await visible(page.getByText("Connection lost."));
  plane = await alcove.startControlPlane(Number(new URL(plane.address).port));
  await gone(page.getByText("Connection lost."));
  browser.serverIsAway = false;
  await visible(newestTurn().getByRole("group", { name: "Deliverables" }).getByText("birch.md"));
  expect(await transcript()).toEqual(wholeTranscript("birch"));
  await page.reload();
  await visible(newestTurn().getByRole("group", { name: "Deliverables" }).getByText("birch.md"));
  expect(await transcript()).toEqual(wholeTranscript("birch"));
});

test("a turn is undone: its file is gone and the files of the other turns stay", async () => {
  await tab("Files").click();
  await visible(page.getByRole("treeitem", { name: /birch\.md/ }));
  await newestTurn().getByRole("button", { name: "Undo this turn" }).click();
  await visible(newestTurn().getByText("1 file put back"));
  await gone(page.getByRole("treeitem", { name: /birch\.md/ }));
  const left = await plane.client.files.list(workspaceName(), "user/projects");
  expect(left.items.map(({ name }) => name).toSorted()).toEqual([
    "alder.md",
    "figures.csv",
    "investor-update-q4.md",
    "notes.md",
  ]);
});

test("a run is stopped from the page and says so", async () => {
  await ask(scriptedPrompt("Sleep.", [{ delay: 20 }, { say: "I sleep now." }, { shell: "tail -f /dev/null" }]));
  await visible(newestTurn().getByText("tail -f /dev/null", { exact: true }));
  await page.getByRole("button", { name: /^Stop/ }).click();
  await visible(newestTurn().getByText("Stopped by you. What was written is kept."));
});

function workspaceName(): string {
  return workspace.split("/").at(-1) ?? "";
}
