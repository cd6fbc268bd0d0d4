import { readdir } from "node:fs/promises";
import path from "node:path";
import type { CreateWorkspace } from "../packages/contract/src/api/workspace.ts";
import type { Client } from "../packages/sdk/src/client.ts";
import { startTestAlcove, type TestAlcove, type TestAlcoveOptions } from "../tests/fixtures/alcove.ts";

/** Boxes that the product keeps ahead on a machine with enough memory: for new workspaces, and for those that have files. */
export const spareBoxes = 24;
const blankBoxes = 4;

/** The product as `npm start` runs it, with boxes made ahead; nothing rests by itself unless a benchmark says so. */
export function startComputer(options: TestAlcoveOptions = {}): Promise<TestAlcove> {
  const env = { ALCOVE_FREEZE_AFTER_MS: "0", ALCOVE_STOP_AFTER_MS: "0", ALCOVE_LOG_LEVEL: "info", ...options.env };
  return startTestAlcove({ spareBoxes, ...options, env });
}

/** Resolves when all boxes are there that are kept ahead: what is measured is a server at rest, not one that has just given all away. */
export async function aheadReady(alcove: TestAlcove): Promise<void> {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 200));
  for (;;) {
    const own = (await alcove.plane.client.workspaces.list({ limit: 200 })).items.length;
    const boxes = await readdir(path.join(alcove.data, "boxes"));
    // Each box has a log; one that has no workspace yet has no record.
    const logs = await readdir(path.join(alcove.data, "logs", "boxes"));
    const blanks = logs.filter((name) => !boxes.includes(path.basename(name, ".log")));
    await pause();
    if (boxes.length >= own + spareBoxes && blanks.length >= blankBoxes) return;
  }
}

/** A workspace and its first command. */
export async function createAndRun(client: Client, wish: CreateWorkspace = {}): Promise<string> {
  const { id } = await client.workspaces.create(wish);
  await runTrue(client, id);
  return id;
}

export async function runTrue(client: Client, workspace: string): Promise<void> {
  const { exitCode, stderr } = await client.workspaces.execAndWait(workspace, { command: ["/bin/true"] });
  if (exitCode !== 0) throw new Error(`The first command failed: ${stderr}`);
}

/** What a server has done many times before it is measured: its code is compiled, its database's pages are in memory. */
export async function warmUp(client: Client): Promise<void> {
  for (let count = 0; count < 40; count += 1) {
    const id = await createAndRun(client);
    for (let again = 0; again < 5; again += 1) await runTrue(client, id);
    await client.workspaces.delete(id);
  }
}

/** So many more workspaces, awake and idle. */
export async function addOthers(client: Client, count: number): Promise<void> {
  for (let made = 0; made < count; made += 10)
    await Promise.all(Array.from({ length: Math.min(10, count - made) }, () => createAndRun(client)));
}
