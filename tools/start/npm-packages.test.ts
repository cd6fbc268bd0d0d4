import { expect, test } from "vitest";
import { isInstalled } from "./npm-packages.mjs";

const lock = (packages: Record<string, { version?: string; link?: boolean; optional?: boolean }>) => ({ packages });

test("packages are installed when every one that is wanted here is there in its version", () => {
  const wanted = lock({
    "": {},
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b-arm64": { version: "1.0.0", optional: true },
  });
  expect(isInstalled(wanted, lock({ "node_modules/a": { version: "1.0.0" } }))).toBe(true);
  expect(isInstalled(wanted, lock({ "node_modules/a": { version: "0.9.0" } }))).toBe(false);
  expect(isInstalled(wanted, lock({}))).toBe(false);
  expect(isInstalled(wanted, null)).toBe(false);
});

test("a package of another workspace folder counts, the workspace's own link does not", () => {
  const wanted = lock({ "apps/web/node_modules/c": { version: "2.0.0" }, "node_modules/@alcove/web": { link: true } });
  expect(isInstalled(wanted, lock({ "apps/web/node_modules/c": { version: "2.0.0" } }))).toBe(true);
  expect(isInstalled(wanted, lock({}))).toBe(false);
});
