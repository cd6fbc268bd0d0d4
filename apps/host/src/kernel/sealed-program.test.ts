import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { inProject, ownBun } from "../../../../tools/project.ts";

const folder = mkdtempSync(path.join(tmpdir(), "alcove-sealed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a program runs from a copy that cannot be written, which is made anew when the program is replaced", () => {
  const program = path.join(folder, "program");
  copyFileSync("/bin/ls", program);
  utimesSync(program, 1, 1);
  const script = `
    import { createSealedPrograms } from ${JSON.stringify(inProject("apps/host/src/kernel/sealed-program.ts"))};
    import { copyFileSync, utimesSync, writeFileSync } from "node:fs";
    const sealed = createSealedPrograms();
    const path = sealed(${JSON.stringify(program)});
    const run = (path) => Bun.spawnSync([path, "--version"]).stdout.toString().split(" ")[0];
    let refused = "";
    try { writeFileSync(path, "#!/bin/sh", { flag: "r+" }); } catch (error) { refused = error.code; }
    const before = run(path);
    const same = sealed(${JSON.stringify(program)}) === path;
    copyFileSync("/bin/cp", ${JSON.stringify(program)});
    utimesSync(${JSON.stringify(program)}, 2, 2);
    console.log(JSON.stringify({ isCopy: path.startsWith("/proc/"), refused, before, same, after: run(sealed(${JSON.stringify(program)})) }));`;
  const said = execFileSync(ownBun, ["-e", script], { encoding: "utf8" });
  expect(JSON.parse(said)).toMatchObject({ isCopy: true, refused: expect.stringMatching(/^E/), same: true });
  expect(said).toContain('"before":"ls"');
  expect(said).toContain('"after":"cp"');
});
