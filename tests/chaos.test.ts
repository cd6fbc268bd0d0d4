import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Client } from "../packages/sdk/src/client.ts";
import { blanksOf } from "./fixtures/ahead.ts";
import { type ControlPlaneProcess, startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";

const seed = Number(process.env["ALCOVE_CHAOS_SEED"] ?? Date.now() % 1_000_000);
const operations = 500;
const atOnce = 8;
const mostWorkspaces = 20;

let alcove: TestAlcove;
let plane: ControlPlaneProcess;
beforeAll(async () => {
  alcove = await startTestAlcove({
    spareBoxes: 2,
    env: { ALCOVE_FREEZE_AFTER_MS: "1000", ALCOVE_STOP_AFTER_MS: "4000" },
  });
  plane = alcove.plane;
});
afterAll(() => alcove[Symbol.asyncDispose]());

/** Mulberry32: the same seed gives the same sequence. */
function randomNumbers(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Operation = (client: Client, workspace: string) => Promise<unknown>;
const run =
  (script: string): Operation =>
  (client, workspace) =>
    client.workspaces.execAndWait(workspace, { command: ["sh", "-c", script], timeoutMs: 5_000 });
const kinds: [weight: number, Operation][] = [
  [14, run("echo $$ >> log")],
  [8, (client, workspace) => client.workspaces.start(workspace)],
  [8, (client, workspace) => client.workspaces.stop(workspace)],
  [8, (client, workspace) => client.workspaces.delete(workspace)],
  [6, (client, workspace) => client.workspaces.takeSnapshot(workspace, {})],
  [4, (client, workspace) => client.workspaces.fork(workspace)],
  [4, restoreAny],
  [4, (client, workspace) => client.workspaces.update(workspace, { limits: { memoryBytes: 2 ** 28 } })],
  [4, run("kill -TERM 1")],
  [4, run("pkill -KILL -f 'alcove-daemon (serve|await)'")],
  [4, (client, workspace) => client.terminals.create(workspace)],
];

async function restoreAny(client: Client, workspace: string): Promise<void> {
  const [snapshot] = (await client.workspaces.snapshots(workspace)).items;
  if (snapshot) await client.workspaces.restore(workspace, snapshot.id);
}

test(
  `${operations} operations and kills in any order leave every workspace at rest and nothing behind (seed ${seed})`,
  { timeout: 400_000 },
  async () => {
    const random = randomNumbers(seed);
    const total = kinds.reduce((sum, [weight]) => sum + weight, 0);
    const pick = (): Operation => {
      let at = random() * total;
      for (const [weight, operation] of kinds) if ((at -= weight) < 0) return operation;
      return kinds[0]?.[1] ?? run("true");
    };
    const names = async (): Promise<string[]> => {
      const { items } = await plane.client.workspaces.list({ limit: 100 });
      return items.map(({ id }) => id);
    };

    let done = 0;
    const working = new Set<Promise<unknown>>();
    while (done < operations) {
      const known = await names().catch((): string[] => []);
      const workspace = known[Math.floor(random() * known.length)];
      const roll = random();
      done += 1;
      if (roll < 0.01) {
        await plane.kill();
        plane = await alcove.startControlPlane();
      } else if (roll < 0.02) await alcove.restartHost();
      else {
        const creates = workspace === undefined || (known.length < mostWorkspaces && roll < 0.2);
        const { client } = plane;
        const work = (creates ? client.workspaces.create() : pick()(client, workspace)).catch(() => undefined);
        working.add(work);
        void work.finally(() => working.delete(work));
        if (working.size >= atOnce) await Promise.race(working);
      }
    }
    await Promise.all(working);

    const resting = async () =>
      (await plane.client.workspaces.list({ limit: 100 })).items
        .filter(
          ({ state, box }) =>
            !(
              ["ready", "hibernated", "failed"].includes(state) && ["none", "running", "frozen", "failed"].includes(box)
            ),
        )
        .map(({ name, state, box }) => `${name} ${state} ${box}`);
    await expect.poll(resting, { timeout: 150_000, interval: 500 }).toEqual([]);

    for (const id of await names()) await plane.client.workspaces.delete(id);
    await expect.poll(names, { timeout: 150_000, interval: 500 }).toEqual([]);
    await expect.poll(leftovers, { timeout: 90_000, interval: 500 }).toEqual([]);
  },
);

/** Whatever bears the id of a workspace that is not one of the boxes kept ahead. */
async function leftovers(): Promise<string[]> {
  const id = /ws_[0-9a-z]{20}/g;
  const spares = new Set<string>();
  for (const name of await readdir(path.join(alcove.data, "boxes"))) {
    const record = await readFile(path.join(alcove.data, "boxes", name, "box.json"), "utf8").catch(() => "");
    if (record.includes('"spare": "spare"')) spares.add(name);
  }
  const blanks = await blanksOf(alcove.data);
  for (const { id } of blanks) spares.add(id);
  const found = new Set(blanks.length > 1 ? [`${blanks.length} boxes without a workspace`] : []);
  const note = (what: string, text: string) => {
    for (const [match] of text.matchAll(id)) if (!spares.has(match)) found.add(`${what} of ${match}`);
  };
  note(
    "mount",
    (await readFile("/proc/self/mountinfo", "utf8"))
      .split("\n")
      .filter((line) => line.includes(alcove.data))
      .join("\n"),
  );
  for (const folder of ["boxes", "pool/workspaces", "volumes/workspaces", "run/boxes"])
    note(folder, (await readdir(path.join(alcove.data, folder)).catch((): string[] => [])).join("\n"));
  const own = alcove.data.split("/").at(-2) ?? alcove.data;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (environment.includes(own) || command.includes(own)) note("process", command);
  }
  return [...found];
}
