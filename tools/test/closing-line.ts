import type { Reporter, TestModule } from "vitest/node";

const slowest = 15;
const longMs = 10_000;

/** Ends the output with the files that took longest, and one line of figures alone: `12 passed, 0 failed` and `, 3 skipped` when there are any. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const testModule of modules) {
      for (const test of testModule.children.allTests()) {
        const { state } = test.result();
        count[state === "pending" ? "failed" : state]++;
      }
      // A file that does not load, or a hook that fails, has errors of its own.
      const hasOwnErrors =
        testModule.errors().length > 0 ||
        [...testModule.children.allSuites()].some((suite) => suite.errors().length > 0);
      if (hasOwnErrors) count.failed++;
    }
    count.failed += unhandledErrors.length;
    const files = modules
      .map((module) => ({ file: module.relativeModuleId, ms: module.diagnostic().duration }))
      .filter(({ ms }) => ms > longMs)
      .toSorted((left, right) => right.ms - left.ms)
      .slice(0, slowest)
      .map(({ file, ms }) => `${(ms / 1000).toFixed(0).padStart(5)} s  ${file}`);
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
    // The default reporter writes its summary in the same moment; this line has to come after it.
    process.once("exit", () => {
      if (files.length > 0) console.log(`\nThe files that took longest:\n${files.join("\n")}\n`);
      console.log(`${count.passed} passed, ${count.failed} failed${skipped}`);
    });
  }
}
