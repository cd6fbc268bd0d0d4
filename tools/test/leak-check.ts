import { readdir, readFile } from "node:fs/promises";
import { afterAll } from "vitest";

const graceMs = 3_000;

/** Child processes of this one that are still alive, as "pid name"; empty where the kernel does not list them. */
async function livingChildren(): Promise<string[]> {
  const threads = await readdir("/proc/self/task").catch(() => []);
  const lists = await Promise.all(
    threads.map((id) => readFile(`/proc/self/task/${id}/children`, "utf8").catch(() => "")),
  );
  const pids = lists.flatMap((list) => list.split(" ")).filter((pid) => pid !== "");
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, "utf8").catch(() => null)));
  return pids.flatMap((pid, index) => (names[index] ? [`${pid} ${names[index].trim()}`] : []));
}

const before = new Set(await livingChildren());

// Registered before everything in the test file, so it runs after all of it.
afterAll(async () => {
  const deadline = performance.now() + graceMs;
  for (;;) {
    const left = (await livingChildren()).filter((child) => !before.has(child));
    if (left.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`The tests of this file left processes behind: ${left.join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
