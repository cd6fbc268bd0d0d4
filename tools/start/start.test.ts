import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const start = (...words: string[]) =>
  promisify(execFile)(process.execPath, [new URL("start.mjs", import.meta.url).pathname, ...words]);

test("a start that is asked for help gives it and starts nothing", async () => {
  expect((await start("--help")).stdout).toMatch(/^Usage: npm start\n/);
});

test("a start with an argument that it does not know says so and starts nothing", async () => {
  await expect(start("--port", "80")).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('"--port 80"'),
  });
});
