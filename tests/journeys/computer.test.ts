import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { builtPart } from "../../tools/build/build.ts";
import { type FakeModel, startFakeModel } from "../fakes/model/fake-model.ts";
import { scriptedPrompt } from "../fakes/model/script.ts";
import { installedAgents } from "../fixtures/agents.ts";
import { type ControlPlaneProcess, startTestAlcove, type TestAlcove } from "../fixtures/alcove.ts";
import { requireNoComplaints, startBrowser, type TestBrowser } from "./browser.ts";
import { inspectScreen } from "./screens.ts";

let model: FakeModel;
let alcove: TestAlcove;
let plane: ControlPlaneProcess;
let browser: TestBrowser;
let page: Page;

const name = "workshop";
const address = `/workspaces/${name}`;
const part = (which: string) => `${address}?pane=computer&part=${which}`;

beforeAll(async () => {
  model = await startFakeModel();
  alcove = await startTestAlcove({ agents: await installedAgents(), web: await builtPart("web") });
  plane = alcove.plane;
  await plane.client.providers.put("anthropic", { kind: "anthropic", baseUrl: model.url, key: model.key });
  await plane.client.workspaces.create({ name, limits: { memoryBytes: 512 * 2 ** 20, processes: 256 } });
  await plane.client.workspaces.start(name);
  await plane.client.files.write(
    name,
    "user/projects/notes.md",
    "# Notes\n\nRevenue reached $1.05 M\nTwelve customers\n",
  );
  browser = await startBrowser(plane.address);
  page = await browser.context.newPage();
  await page.goto(plane.signInLink);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await alcove[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});
afterEach(() => requireNoComplaints(browser));

const visible = (locator: Locator) => locator.waitFor({ state: "visible" });
const gone = (locator: Locator) => locator.waitFor({ state: "hidden" });
const workspace = () => plane.client.workspaces.get(name);
const sh = (command: string) => plane.client.workspaces.execAndWait(name, { command: ["sh", "-c", command] });

test("figures of the workspace are live, in the pane and in the status line", async () => {
  await page.goto(part("overview"));
  await visible(page.getByRole("meter", { name: "Memory used" }));
  await visible(page.getByLabel("Workspace status").getByText(/of 512 MB/));
  await inspectScreen(browser.context, {
    name: "computer-overview",
    address: part("overview"),
    ready: (screen) => visible(screen.getByText(/^\d+ %$/)),
  });
});

test("a limit is changed in its field, holds at once, and is set back with one click", async () => {
  const memory = page.getByLabel("Memory", { exact: true });
  await memory.fill("12 MB");
  await memory.press("Enter");
  await visible(page.getByText("At least 128 MB"));
  await memory.fill("1 GB");
  await memory.press("Enter");
  const back = page.getByRole("button", { name: "Set memory back to 512 MB" });
  await visible(back);
  await expect.poll(async () => (await workspace()).limits).toEqual({ memoryBytes: 2 ** 30, processes: 256 });
  await back.click();
  await gone(back);
  await expect.poll(async () => (await workspace()).limits.memoryBytes).toBe(512 * 2 ** 20);
});

test("two limits that are changed right after each other both hold", async () => {
  await page.route("**/api/v1/workspaces/*", async (route) => {
    if (route.request().method() === "PATCH") await new Promise((resolve) => setTimeout(resolve, 600));
    await route.continue();
  });
  for (const [label, value] of [
    ["Memory", "700 MB"],
    ["Processes", "300"],
  ] as const) {
    await page.getByLabel(label, { exact: true }).fill(value);
    await page.getByLabel(label, { exact: true }).press("Tab");
  }
  await expect.poll(async () => (await workspace()).limits).toEqual({ memoryBytes: 700 * 2 ** 20, processes: 300 });
  await page.unroute("**/api/v1/workspaces/*");
  await plane.client.workspaces.update(name, { limits: { memoryBytes: 512 * 2 ** 20, processes: 256 } });
  await expect.poll(() => page.getByLabel("Processes", { exact: true }).inputValue()).toBe("256");
});

test("a workspace that is renamed elsewhere is followed, and one that is deleted is said to be", async () => {
  const other = await browser.context.newPage();
  await plane.client.workspaces.create({ name: "elsewhere" });
  await other.goto("/workspaces/elsewhere?pane=computer");
  await visible(other.getByLabel("Workspace status"));
  await plane.client.workspaces.update("elsewhere", { name: "moved" });
  await other.waitForURL("**/workspaces/moved?pane=computer");
  await visible(other.getByLabel("Workspace status"));
  await plane.client.workspaces.delete("moved");
  await visible(other.getByText('"moved" was deleted'));
  await other.close();
  // Each of the two was asked for once more before that was known.
  requireNoComplaints(browser, (complaint) => complaint.includes("404"));
});

test("steps of a limit are one change", async () => {
  const processes = page.getByLabel("Processes", { exact: true });
  await processes.focus();
  await processes.press("ArrowUp");
  await processes.press("ArrowUp");
  expect(await processes.inputValue()).toBe("1,024");
  await visible(page.getByRole("button", { name: "Set processes back to 256" }));
  await expect.poll(async () => (await workspace()).limits.processes).toBe(1024);
});

test("a program that wants more memory than there is gets told about on the page", async () => {
  await sh(`perl -e 'my $x = "x" x (1 << 30); print length $x'`);
  await visible(page.getByRole("status").getByText(/memory/i));
  await page.goto(part("activity"));
  await visible(
    page
      .getByRole("region", { name: "Activity" })
      .getByText(/out of memory/i)
      .first(),
  );
  await inspectScreen(browser.context, {
    name: "computer-activity",
    address: part("activity"),
    ready: (screen) => visible(screen.getByText(/out of memory/i).first()),
  });
});

test("what the allow-list refuses is named, and one click allows it", async () => {
  await page.goto(part("network"));
  await page.getByRole("radio", { name: /^Allow-list/ }).check();
  await page.getByLabel("Name to allow").fill("https://registry.npmjs.org/react, 10.0.0.1");
  await page.getByLabel("Name to allow").press("Enter");
  await visible(page.getByText("10.0.0.1 is an address; the list holds names"));
  await page.getByLabel("Name to allow").fill("https://registry.npmjs.org/react");
  await page.getByLabel("Name to allow").press("Enter");
  await visible(page.getByRole("button", { name: "Take registry.npmjs.org off the list" }));
  await expect
    .poll(async () => (await workspace()).network)
    .toEqual({ mode: "allow-list", allow: ["registry.npmjs.org"] });

  await sh("getent hosts refused.example.com");
  await sh("timeout 5 bash -c 'exec 3<>/dev/tcp/9.9.9.9/80; echo GET / HTTP/1.0 >&3; echo >&3; cat <&3'");
  const allow = page.getByRole("button", { name: "Allow refused.example.com" });
  await visible(allow);
  const address = page.getByRole("listitem").filter({ hasText: "9.9.9.9" });
  await visible(address.getByText("An address, not a name"));
  await visible(page.getByText("An address cannot be on the list, which holds names."));
  await inspectScreen(browser.context, {
    name: "computer-network",
    address: part("network"),
    ready: (screen) => visible(screen.getByRole("button", { name: "Allow refused.example.com" })),
  });
  await allow.click();
  await visible(page.getByRole("button", { name: "Take refused.example.com off the list" }));
  await gone(allow);
  await expect.poll(async () => (await workspace()).network.allow).toContain("refused.example.com");
});

test("a name taken off the list comes back by undo", async () => {
  await page.getByRole("button", { name: "Take refused.example.com off the list" }).click();
  await gone(page.getByRole("button", { name: "Take refused.example.com off the list" }));
  await page.locator(".toast", { hasText: "is off the list" }).getByRole("button", { name: "Undo" }).click();
  await visible(page.getByRole("button", { name: "Take refused.example.com off the list" }));
});

test("changes of the network that follow each other quickly all hold", async () => {
  await sh("getent hosts later.example.com");
  await visible(page.getByRole("button", { name: "Allow later.example.com" }));
  await page.route("**/api/v1/workspaces/*", async (route) => {
    if (route.request().method() === "PATCH") await new Promise((resolve) => setTimeout(resolve, 600));
    await route.continue();
  });
  for (const host of ["one.example.com", "two.example.com"]) {
    await page.getByLabel("Name to allow").fill(host);
    await page.getByLabel("Name to allow").press("Enter");
    await visible(page.getByRole("button", { name: `Take ${host} off the list` }));
  }
  await page.getByRole("button", { name: "Allow later.example.com" }).click();
  await page.getByRole("button", { name: "Take registry.npmjs.org off the list" }).click();
  await expect
    .poll(async () => (await workspace()).network.allow)
    .toEqual(["refused.example.com", "one.example.com", "two.example.com", "later.example.com"]);
  await page.unroute("**/api/v1/workspaces/*");
});

const rows = (on = page) => on.getByRole("list", { name: "Snapshots, newest first" });

test("a snapshot is taken, compared with what is there now, and restored; undo puts the files of now back", async () => {
  await page.goto(part("snapshots"));
  await page.getByLabel("Name of the snapshot").fill("First draft");
  await page.getByRole("button", { name: "Take" }).click();
  await visible(rows().getByText("First draft", { exact: true }));
  await plane.client.files.write(
    name,
    "user/projects/notes.md",
    "# Notes\n\nRevenue reached $1.24 M\nTwelve customers\n",
  );
  await plane.client.files.write(name, "user/projects/plan.md", "Ship in March\n");
  await page.reload();
  await page.getByRole("button", { name: /notes\.md/ }).click();
  await visible(page.locator(".diff__line--del", { hasText: "$1.05 M" }));
  await visible(page.locator(".diff__line--add", { hasText: "$1.24 M" }));
  await inspectScreen(browser.context, {
    name: "computer-snapshots",
    address: part("snapshots"),
    ready: async (screen) => {
      await screen.getByRole("button", { name: /notes\.md/ }).click();
      await visible(screen.locator(".diff__line--add").first());
    },
  });

  const { epoch } = await workspace();
  await page.getByRole("button", { name: "Restore", exact: true }).first().click();
  await visible(page.getByText("The workspace restarts: what runs in it ends."));
  await page.locator(".approval").getByRole("button", { name: "Restore" }).click();
  await visible(page.getByText("Files are back at First draft", { exact: true }));
  expect(await textOf("notes.md")).toContain("$1.05 M");
  expect((await workspace()).epoch).toBeGreaterThan(epoch);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => textOf("notes.md")).toContain("$1.24 M");
});

test("a deleted snapshot comes back by undo", async () => {
  await page.goto(part("snapshots"));
  await rows().getByText("First draft", { exact: true }).click();
  await page.getByRole("button", { name: "More about this snapshot" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await gone(rows().getByText("First draft", { exact: true }));
  await page.getByRole("button", { name: "Undo" }).click();
  await visible(rows().getByText("First draft", { exact: true }));
});

test("a fork of a snapshot opens with its files, and says where it came from", async () => {
  await rows().getByText("First draft", { exact: true }).click();
  await page.getByRole("button", { name: "Fork", exact: true }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/workspaces/") && url.pathname !== address);
  const fork = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  await visible(page.getByRole("treeitem", { name: /notes\.md/ }));
  const text = await (await plane.client.files.read(fork, "user/projects/notes.md")).text();
  expect(text).toContain("$1.05 M");
  await page.goto(part("snapshots"));
  await rows().getByText("First draft", { exact: true }).click();
  await visible(page.getByRole("link", { name: fork }));
});

test("an exported workspace is imported as another one", async () => {
  const archive = await fetch(plane.client.workspaces.exportUrl(name), {
    headers: { authorization: `Bearer ${alcove.secret}` },
  });
  await page.goto("/workspaces");
  await page.getByLabel("Archive to import").setInputFiles({
    name: "workshop.tar.gz",
    mimeType: "application/gzip",
    buffer: Buffer.from(await archive.arrayBuffer()),
  });
  await page.waitForURL((url) => /^\/workspaces\/./.test(url.pathname));
  const imported = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  expect(imported).not.toBe(name);
  await visible(page.getByRole("treeitem", { name: /notes\.md/ }));
});

test("a conversation begins in a fork with one click, and the workspace stays as it is", async () => {
  await page.goto(`${address}?pane=files&session=new`);
  await page.getByRole("button", { name: "In a fork", exact: true }).click();
  await page.getByRole("button", { name: /^Agent/ }).click();
  await page.getByRole("option", { name: /Claude Code/ }).click();
  const message = page.getByRole("textbox", { name: "Message" });
  await message.fill(
    scriptedPrompt("Write elsewhere.", [
      { shell: "sed -i s/Twelve/Thirteen/ notes.md" },
      { write: { path: "elsewhere.md", content: "# Elsewhere\n" } },
      { say: "It is written." },
    ]),
  );
  await message.press("Enter");
  await page.waitForURL((url) => url.pathname !== address);
  await visible(page.getByRole("group", { name: "Deliverables" }).getByText("elsewhere.md"));
  const here = await plane.client.files.list(name, "user/projects");
  expect(here.items.map((item) => item.name).toSorted()).toEqual(["notes.md", "plan.md"]);
});

test("Changes shows the old text of a file that a command changed", async () => {
  await page.getByRole("tab", { name: /^Changes/ }).click();
  await page
    .getByRole("tabpanel", { name: "changes" })
    .getByRole("button", { name: /notes\.md/ })
    .click();
  await visible(page.locator(".diff__line--del", { hasText: "Twelve customers" }));
  await visible(page.locator(".diff__line--add", { hasText: "Thirteen customers" }));
});

test("put to sleep it stays asleep until it is opened again", async () => {
  await page.goto(part("overview"));
  await page.getByRole("button", { name: "Put to sleep" }).click();
  await visible(page.getByRole("heading", { name: "Asleep", exact: true }));
  // The page says so from the moment on in which it begins.
  await expect.poll(async () => (await workspace()).box).toBe("none");
  await page.goto("/workspaces");
  await visible(page.getByRole("link", { name, exact: true }));
  expect((await workspace()).box).toBe("none");
  await page.goto(part("overview"));
  await visible(page.getByRole("heading", { name: "Awake", exact: true }));
  await inspectScreen(browser.context, {
    name: "computer-asleep",
    address: part("overview"),
    ready: async (screen) => {
      await screen.getByRole("button", { name: "Put to sleep" }).click();
      await visible(screen.getByRole("heading", { name: "Asleep", exact: true }));
    },
  });
});

test("an idle workspace freezes and says so, and a click in it brings it back", async () => {
  await plane.client.workspaces.update(name, { lifetime: { freezeAfterMs: 1_000 } });
  await page.goto(part("overview"));
  await visible(page.getByRole("heading", { name: "Frozen", exact: true }));
  await visible(page.getByText(/^Frozen: idle/));
  expect((await workspace()).box).toBe("frozen");
  await page.getByRole("heading", { name: "Limits" }).click();
  await visible(page.getByRole("heading", { name: "Awake", exact: true }));
  await plane.client.workspaces.update(name, { lifetime: {} });
});

test("it can be told to stay awake, and then says nothing of sleeping", async () => {
  await page.goto(part("overview"));
  await page.getByRole("switch", { name: "Keep awake" }).click();
  await visible(page.getByRole("switch", { name: "Keep awake", checked: true }));
  await gone(page.getByText("Sleep after"));
  await expect.poll(async () => (await workspace()).lifetime.keepAlive).toBe(true);
});

test("an age at which it is deleted names the day, and is asked about when that is near", async () => {
  const age = page.getByRole("button", { name: /^Delete after/ });
  await age.click();
  await page.getByRole("option", { name: /^1 day/ }).click();
  const question = page.getByRole("alertdialog");
  await visible(question.getByText(/^Delete workshop on \w+ \d+ \w+ \d{4} at \d\d:\d\d\?$/));
  await question.getByRole("button", { name: "Cancel" }).click();
  await age.click();
  await page.getByRole("option", { name: /^30 days on / }).click();
  await visible(page.getByText(/^Deleted with its files on \w+ \d+ \w+ \d{4} at \d\d:\d\d, at work or not$/));
  await expect.poll(async () => (await workspace()).lifetime.deleteAfterMs).toBe(30 * 86_400_000);
  await age.click();
  await page.getByRole("option", { name: /^1 day/ }).click();
  await question.getByRole("button", { name: "Delete it then" }).click();
  await expect.poll(async () => (await workspace()).lifetime.deleteAfterMs).toBe(86_400_000);
  await age.click();
  await page.getByRole("option", { name: "Never" }).click();
  await visible(page.getByText("At this age it is deleted with its files, at work or not"));
  await expect.poll(async () => (await workspace()).lifetime.deleteAfterMs).toBe(null);
});

test("the log of the box is on the page", async () => {
  const log = (screen: Page) =>
    visible(screen.getByRole("log", { name: "Log of the box" }).getByText("The daemon serves").first());
  await inspectScreen(browser.context, { name: "computer-log", address: part("log"), ready: log });
});

async function textOf(file: string): Promise<string> {
  return (await plane.client.files.read(name, `user/projects/${file}`)).text();
}
