import axe from "axe-core";
import { chromium, type BrowserContext, type Page } from "playwright-core";

const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--no-proxy-server",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface TestBrowser extends AsyncDisposable {
  readonly context: BrowserContext;
  /** What no page may ever do: errors in the console, requests to another host, what the content security policy forbids. */
  readonly complaints: string[];
  /** True while the server is away on purpose: then a failed request is no complaint. */
  serverIsAway: boolean;
}

/** Headless Chromium with one profile of its own; every page that it opens is watched. */
export async function startBrowser(address: string): Promise<TestBrowser> {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: quiet });
  const context = await browser.newContext({
    baseURL: address,
    viewport: { width: 1440, height: 900 },
    colorScheme: "light",
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "UTC",
  });
  context.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  const watched: TestBrowser = {
    context,
    complaints,
    serverIsAway: false,
    [Symbol.asyncDispose]: () => browser.close(),
  };
  await context.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => console.error(`${event.violatedDirective} forbids ${event.blockedURI}`))",
  );
  context.on("console", (message) => {
    const missing = message.text().startsWith("Failed to load resource");
    if (message.type() !== "error" || (watched.serverIsAway && missing)) return;
    complaints.push(`${message.text()} (${message.location().url})`);
  });
  context.on("weberror", (error) => complaints.push(String(error.error().stack)));
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== address && url.protocol.startsWith("http")) complaints.push(`A request to ${url.href}`);
  });
  return watched;
}

/** Throws what pages did wrong since the last call, but for what the test has provoked. */
export function requireNoComplaints(
  { complaints }: TestBrowser,
  isProvoked: (complaint: string) => boolean = () => false,
): void {
  const left = complaints.splice(0).filter((complaint) => !isProvoked(complaint));
  if (left.length > 0) throw new Error(`The page did what it must not:\n${left.join("\n")}`);
}

/** The faces that the browser really draws an element's text with. */
export async function facesOf(page: Page, selector: string): Promise<string[]> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("DOM.enable");
  await devtools.send("CSS.enable");
  const { root } = await devtools.send("DOM.getDocument");
  const { nodeId } = await devtools.send("DOM.querySelector", { nodeId: root.nodeId, selector });
  const { fonts } = await devtools.send("CSS.getPlatformFontsForNode", { nodeId });
  await devtools.detach();
  return fonts.map(({ familyName }) => familyName);
}

/** What axe finds on the page as it stands now: a line for each rule, with the places. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<string[]>(
    `axe.run(document).then(({ violations }) => violations.map(({ id, help, nodes }) =>
      id + ": " + help + " — " + nodes.slice(0, 5).map((node) => node.target.join(" ") + " " + (node.any[0]?.message ?? "")).join(" | ")))`,
  );
}
