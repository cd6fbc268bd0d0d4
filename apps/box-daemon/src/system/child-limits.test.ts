import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ownBun } from "../../../../tools/project.ts";

const execute = promisify(execFile);

/** Runs the lines with Bun where 1000 processes are allowed; gives what they put into `told`. */
async function tell(lines: string): Promise<unknown> {
  const script = `
    import { limitsInShell, startProgram } from "${new URL("child-limits.ts", import.meta.url).pathname}";
    import { ownProcessLimit } from "${new URL("libc.ts", import.meta.url).pathname}";
    const told = [];
    ${lines}
    console.log(JSON.stringify(told));`;
  const { stdout } = await execute("prlimit", ["--nproc=1000:1000", ownBun, "--eval", script]);
  return JSON.parse(stdout);
}

test("a program has the lower limit of processes from its start on, and whoever starts it keeps its own", async () => {
  expect(
    await tell(`
      const sleeper = startProgram(() => (told.push(ownProcessLimit()), Bun.spawn(["sleep", "100"])));
      told.push(ownProcessLimit(), (await Bun.file("/proc/" + sleeper.pid + "/limits").text()).match(/Max processes.*/)[0].split(/ +/).slice(2, 4));
      sleeper.kill();`),
  ).toEqual([968, 1000, ["968", "968"]]);
});

test("where programs have used up their limit, one more is started from what is kept back", async () => {
  expect(
    await tell(`
      const refuse = () => { throw Object.assign(new Error("no more"), { code: "EAGAIN" }); };
      startProgram(() => (told.push(ownProcessLimit()), told.length === 1 ? refuse() : Bun.spawn(["true"])));
      try { startProgram(refuse); } catch (error) { told.push(error.code); }
      told.push(ownProcessLimit());`),
  ).toEqual([968, 1000, "out_of_processes", 1000]);
});

test.each(["bash", "dash"])("a line of shell gives %s the same limit", async (shell) => {
  const line = 'limitsInShell() + "grep Max.processes /proc/self/limits"';
  expect(await tell(`told.push(Bun.spawnSync(["${shell}", "-c", ${line}]).stdout.toString());`)).toEqual([
    expect.stringMatching(/^Max processes +968 +968 /),
  ]);
});
