import { expect, test } from "vitest";
import { readDevContainer } from "./devcontainer.ts";

const refusal = (text: string) => {
  try {
    readDevContainer(text);
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "not refused";
};

test("an image with variables, ports and commands is taken over, comments and all", () => {
  const text = `{
    // The team's own.
    "name": "Shop",
    "image": "node:24",
    "containerEnv": { "ROOT": "\${containerWorkspaceFolder}/shop" },
    "remoteEnv": { "EDITOR": "nano", "GONE": null },
    "forwardPorts": [3000, "localhost:5432"],
    "onCreateCommand": "npm ci",
    "postCreateCommand": ["echo", "it's done"],
    "postStartCommand": { "db": "db start", "web": ["web", "start"] },
    "customizations": { "vscode": {} }, /* of an editor */
  }`;
  expect(readDevContainer(text)).toEqual({
    name: "Shop",
    source: { kind: "image", image: "node:24" },
    env: { ROOT: "/workspace/user/projects/shop", EDITOR: "nano" },
    ports: [3000, 5432],
    onCreate: ["npm ci", "'echo' 'it'\\''s done'"],
    onStart: ["db start", "'web' 'start'"],
  });
});

test("a Dockerfile is found beside the file, its context where that says", () => {
  const build = (fields: object) =>
    readDevContainer(JSON.stringify({ build: { dockerfile: "Dockerfile", ...fields } }));
  expect(build({}).source).toEqual({ kind: "build", dockerfile: "Dockerfile", context: ".devcontainer", args: {} });
  expect(build({ context: "..", args: { A: "1" } }).source).toEqual({
    kind: "build",
    dockerfile: ".devcontainer/Dockerfile",
    context: ".",
    args: { A: "1" },
  });
});

test.each([
  ['{ "image": "a", "features": { "ghcr.io/x": {} } }', '"features" is not supported'],
  ['{ "image": "a", "privileged": true }', '"privileged" is not supported'],
  ['{ "image": "a", "initializeCommand": "make" }', '"initializeCommand" is not supported'],
  ['{ "dockerComposeFile": "compose.yml" }', '"dockerComposeFile" is not supported'],
  ['{ "build": { "dockerfile": "Dockerfile", "target": "dev" } }', '"build.target" is not supported'],
  ['{ "build": { "dockerfile": "../../Dockerfile" } }', '"build.dockerfile" leads out'],
  ['{ "build": { "dockerfile": "D", "context": "../.." } }', '"build.context" leads out'],
  ['{ "image": "a", "containerEnv": { "A": "${localEnv:HOME}" } }', '"${localEnv:HOME}" is not known here'],
  ['{ "image": "a", "forwardPorts": ["db:5432"] }', '"forwardPorts" has "db:5432"'],
  ["{}", 'neither "image" nor "build.dockerfile"'],
  ['{ "image": ', "it is not JSON"],
  ["[]", "it is not an object"],
])("%s is refused with the name of the field", (text, reason) => {
  expect(refusal(text)).toContain(reason);
});

test("what is set to nothing is not refused", () => {
  const text = '{ "image": "a", "features": {}, "privileged": false, "mounts": [] }';
  expect(readDevContainer(text).source).toEqual({ kind: "image", image: "a" });
});
