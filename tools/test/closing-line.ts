import type { Reporter, TestModule } from "vitest/node";

/** Ends the output with one line of figures alone: `12 passed, 0 failed` and `, 3 skipped` when there are any. */
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
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
    // The default reporter writes its summary in the same moment; this line has to come after it.
    process.once("exit", () => console.log(`${count.passed} passed, ${count.failed} failed${skipped}`));
  }
}
