import { startComputer, runTrue, createAndRun } from "./computer.ts";
import { samples, timed } from "./report.ts";
import { readFileSync } from "node:fs";
await using alcove = await startComputer({ spareBoxes: 0 });
const { client } = alcove.plane;
const id = await createAndRun(client);
const t: number[] = [];
for (let i = 0; i < 15; i++) { await client.workspaces.stop(id); t.push(await timed(() => runTrue(client, id))); }
console.log("cold start + exec", JSON.stringify(samples(t)));
const sums = new Map<string, number[]>();
for (const l of readFileSync(alcove.logs + "/host.log", "utf8").split("\n")) { const m = /^TT (\S+) (\S+)/.exec(l); if (m) sums.set(m[1]!, [...(sums.get(m[1]!) ?? []), Number(m[2])]); }
for (const [k, v] of sums) console.log(k, JSON.stringify(samples(v)));
