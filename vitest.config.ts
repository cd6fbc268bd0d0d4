import { defineConfig } from "vitest/config";

const shared = {
  pool: "forks" as const,
  setupFiles: ["./tools/test/leak-check.ts"],
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    reporters: ["default", "./tools/test/closing-line.ts"],
    projects: [
      {
        test: {
          ...shared,
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.{ts,tsx}", "tools/**/*.test.ts"],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Whole machines: boxes, real agents, browsers. They wait more than they work, but share the host: two at a time.
        test: {
          ...shared,
          name: "whole",
          include: ["tests/**/*.test.ts"],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
});
