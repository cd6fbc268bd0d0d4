import { writeFile } from "node:fs/promises";
import { inProject } from "../tools/project.ts";
import { benchBurst } from "./burst.ts";
import { benchCreate } from "./create.ts";
import { benchFork } from "./fork.ts";
import { benchIdle } from "./idle.ts";
import { benchOverhead } from "./overhead.ts";
import type { BenchResult } from "./report.ts";
import { benchStart } from "./start.ts";
import { benchWake } from "./wake.ts";

const benches: Record<string, () => Promise<BenchResult>> = {
  create: benchCreate,
  burst: benchBurst,
  wake: benchWake,
  fork: benchFork,
  idle: benchIdle,
  overhead: benchOverhead,
  start: benchStart,
};

const [name] = process.argv.slice(2);
if (name === undefined) {
  const results: BenchResult[] = [];
  for (const bench of Object.values(benches)) {
    const figures = await bench();
    results.push(figures);
    console.log(JSON.stringify(figures));
  }
  await writeFile(inProject("bench", "results.json"), `${JSON.stringify(results, null, 2)}\n`);
} else {
  const bench = benches[name];
  if (!bench) {
    console.error(`There is no benchmark "${name}". There are: ${Object.keys(benches).join(", ")}.`);
    process.exit(1);
  }
  console.log(JSON.stringify(await bench()));
}
