import { expect, test } from "vitest";
import { checkFile, parseLayers } from "./layers.ts";

const layers = parseLayers(`
| folder | may import |
| --- | --- |
| \`server\` | \`*\` \`packages/base\` |
| \`server/http\` | \`runs\` |
| \`server/runs\`, \`server/log\` | \`packages/base\` |
| \`packages/base\` | |
`);

test("an import down the flow, of the own folder or of an allowed package is fine", () => {
  expect(checkFile("apps/server/src/http/a.ts", `import { b } from "../runs/b.ts";\nimport "./c.ts";`, layers)).toEqual(
    [],
  );
  expect(
    checkFile(
      "apps/server/src/runs/b.ts",
      `import type { C } from "@alcove/base/clock";\nimport { z } from "zod";`,
      layers,
    ),
  ).toEqual([]);
});

test("an import up the flow is found, in whatever form it is written", () => {
  const forms = [
    `import { a } from "../http/a.ts";`,
    `import {\n  a,\n} from "../http/a.ts";`,
    `import type { A } from "../http/a.ts";`,
    `export { a } from "../http/a.ts";`,
    `const { a } = await import("../http/a.ts");`,
    `import "../http/a.ts";`,
  ];
  for (const source of forms) expect(checkFile("apps/server/src/runs/b.ts", source, layers)).toHaveLength(1);
});

test("the files at the top of a process may import all of it", () => {
  expect(checkFile("apps/server/src/compose.ts", `import { a } from "./http/a.ts";`, layers)).toEqual([]);
});

test("a folder without a row is named", () => {
  expect(checkFile("apps/server/src/extra/a.ts", "", layers)[0]).toMatch(/no row for `server\/extra`/);
});
