import { expect, test } from "vitest";
import { inheritedEnvironment } from "./control-plane.ts";
import { readSettings } from "./settings.ts";

test("without any setting it serves this machine on port 7700", () => {
  expect(readSettings({ ALCOVE_DATA: "/data" })).toMatchObject({ data: "/data", host: "127.0.0.1", port: 7700 });
  expect(readSettings({ ALCOVE_PORT: "", ALCOVE_HOST: "" })).toMatchObject({ host: "127.0.0.1", port: 7700 });
});

test("a port that is none is refused", () => {
  for (const ALCOVE_PORT of ["0", "65536", "http", "80.5"])
    expect(() => readSettings({ ALCOVE_PORT })).toThrow(/ALCOVE_PORT/);
});

test("the control plane inherits keys and proxies, and nothing of npm or of the user's session", () => {
  const inherited = inheritedEnvironment({
    ANTHROPIC_API_KEY: "k",
    HTTPS_PROXY: "p",
    npm_config_registry: "r",
    npm_config_cache: "/root/.npm",
    npm_lifecycle_event: "start",
    XDG_RUNTIME_DIR: "/run/user/0",
    SUDO_USER: "someone",
  });
  expect(inherited).toEqual({ ANTHROPIC_API_KEY: "k", HTTPS_PROXY: "p", npm_config_registry: "r" });
});
