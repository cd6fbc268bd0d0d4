import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { problemSchema } from "../packages/contract/src/api/problem.ts";
import { startTestAlcove, type TestAlcove } from "./fixtures/alcove.ts";

let alcove: TestAlcove;
beforeAll(async () => {
  alcove = await startTestAlcove();
});
afterAll(() => alcove[Symbol.asyncDispose]());

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${alcove.plane.address}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${alcove.secret}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? null : JSON.parse(text), headers: response.headers };
}

const problemOf = (body: unknown) => problemSchema.parse(body).code;

async function untilReady(name: string) {
  const started = await call("POST", `/workspaces/${name}/start`);
  expect(started.body).toMatchObject({ name, state: "ready", box: "running" });
  return started.body;
}

test("a workspace is made, runs a command, keeps its files over a stop, and is deleted whole", async () => {
  const made = await call("POST", "/workspaces", { name: "first" });
  expect(made).toMatchObject({ status: 201, body: { name: "first", state: "creating" } });
  await untilReady("first");
  const run = await call("POST", "/workspaces/first/exec?wait", {
    command: ["sh", "-c", "id -u; echo kept > a.txt; echo no >&2; exit 3"],
  });
  expect(run.body).toEqual({ exitCode: 3, stdout: "1000\n", stderr: "no\n" });
  expect((await call("POST", "/workspaces/first/stop")).body).toMatchObject({ state: "hibernated", box: "none" });
  expect((await call("GET", "/workspaces")).body.items[0]).toMatchObject({ state: "hibernated" });
  const again = await call("POST", "/workspaces/first/exec?wait", { command: ["cat", "a.txt"] });
  expect(again.body).toEqual({ exitCode: 0, stdout: "kept\n", stderr: "" });
  expect((await call("GET", "/workspaces/first")).body).toMatchObject({ epoch: 2, box: "running" });
  expect((await call("DELETE", "/workspaces/first")).status).toBe(202);
  await expect.poll(async () => (await call("GET", "/workspaces/first")).status, { timeout: 20_000 }).toBe(404);
});

test("one trace id goes from a request through the server and the host into the box, and back", async () => {
  const trace = randomBytes(16).toString("hex");
  const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
  const made = await call("POST", "/workspaces", { name: "traced" });
  await untilReady("traced");
  await call("POST", "/workspaces/traced/stop");
  const run = await call("POST", "/workspaces/traced/exec?wait", { command: ["true"] }, headers);
  expect(run.headers.get("x-trace-id")).toBe(trace);
  const traced = async (text: string) => text.split("\n").filter((line) => line.includes(`"trace":"${trace}"`));
  const logOf = (name: string) => readFile(path.join(alcove.logs, name), "utf8").then(traced);
  // A request is logged when its answer has left.
  await expect.poll(async () => (await logOf("control-plane.log")).join("\n")).toContain("/exec");
  expect((await logOf("host.log")).join("\n")).toContain("box.start");
  const box = await fetch(`${alcove.plane.address}/api/v1/workspaces/${made.body.id}/log`, {
    headers: { authorization: `Bearer ${alcove.secret}` },
  });
  expect((await traced(await box.text())).join("\n")).toContain("/v1/exec");
  await call("DELETE", "/workspaces/traced");
});

test("a workspace without a name gets a friendly one, and a name is taken once", async () => {
  const made = await call("POST", "/workspaces", {});
  expect(made.body.name).toMatch(/^[a-z]+-[a-z]+-\d\d$/);
  expect(await call("POST", "/workspaces", { name: made.body.name })).toMatchObject({
    status: 409,
    body: { code: "name_taken" },
  });
  await call("DELETE", `/workspaces/${made.body.id}`);
});

test("files go in and out as they are, and never out of the workspace", async () => {
  await call("POST", "/workspaces", { name: "files" });
  const bytes = new Uint8Array(randomBytes(300_000));
  const at = `${alcove.plane.address}/api/v1/workspaces/files/files/user/projects/data%20%C3%A9.bin`;
  const headers = { authorization: `Bearer ${alcove.secret}` };
  const put = await fetch(at, { method: "PUT", headers, body: bytes });
  expect(put.status).toBe(201);
  const got = await fetch(at, { headers });
  expect(new Uint8Array(await got.arrayBuffer())).toEqual(bytes);
  const part = await fetch(at, { headers: { ...headers, range: "bytes=10-19" } });
  expect([part.status, new Uint8Array(await part.arrayBuffer())]).toEqual([206, bytes.slice(10, 20)]);
  expect((await call("GET", "/workspaces/files/files/user/projects")).body.items).toMatchObject([
    { name: "data é.bin", size: 300_000 },
  ]);
  const stale = await fetch(at, { method: "PUT", headers: { ...headers, "if-match": '"other"' }, body: "x" });
  expect([stale.status, problemOf(await stale.json())]).toEqual([412, "file_changed"]);
  expect(await call("GET", "/workspaces/files/files/user%2F..%2F..%2F..%2Fetc%2Fpasswd")).toMatchObject({
    body: { code: expect.stringMatching(/^path_/) },
  });
  expect(await call("GET", "/workspaces/files/files/nowhere.txt")).toMatchObject({
    status: 404,
    body: { code: "file_not_found" },
  });
});

test("refusals are problems with a code and a hint", async () => {
  expect(await call("GET", "/workspaces/unknown")).toMatchObject({
    status: 404,
    body: { code: "not_found", hint: expect.any(String) },
  });
  expect(await call("POST", "/workspaces", { name: "Not A Name" })).toMatchObject({
    status: 400,
    body: { code: "bad_request", issues: [{ path: "name" }] },
  });
  expect(await call("POST", "/workspaces", "{")).toMatchObject({ status: 400, body: { code: "bad_request" } });
  for (const [method, path, body] of [
    ["GET", "/workspaces/a%00b"],
    ["POST", "/keys", { name: "a\0" }],
    ["POST", "/workspaces/files/exec", { command: ["true"], env: { A: "a\0" } }],
    ["POST", "/workspaces/import?name=No%20Name", "x"],
    ["PATCH", "/workspaces/files", { limits: { memory: "2G" } }],
    ["PATCH", "/workspaces/files", { limits: { processes: 5_000_000 } }],
  ] as const)
    expect(await call(method, path, body)).toMatchObject({ status: 400, body: { code: "bad_request" } });
  expect(await call("PATCH", "/workspaces/files", {})).toMatchObject({ status: 200, body: { name: "files" } });
  expect(await call("POST", "/workspaces", JSON.stringify({ name: "x".repeat(3_000_000) }))).toMatchObject({
    status: 413,
    body: { code: "too_large" },
  });
  expect(await call("GET", "/nothing")).toMatchObject({ status: 404, body: { code: "not_found" } });
  expect(await call("GET", "/me", undefined, { authorization: "Bearer wrong" })).toMatchObject({
    status: 401,
    body: { code: "not_signed_in" },
  });
  expect(await call("POST", "/runs", { prompt: "x", agent: "nobody" })).toMatchObject({
    status: 404,
    body: { code: "agent_unknown" },
  });
  expect(await call("GET", "/runs/run_00000000000000000000")).toMatchObject({
    status: 404,
    body: { code: "not_found" },
  });
});

test("a run without a key says what to connect, and the workspace stays useful", async () => {
  const run = await call("POST", "/runs", { workspace: "files", prompt: "hello" });
  expect(run.status).toBe(202);
  const ended = await call("GET", `/runs/${run.body.id}?wait=30`);
  expect(ended.body).toMatchObject({
    state: "failed",
    error: { code: "model_key_missing", hint: expect.stringContaining("Settings") },
  });
  expect((await call("POST", "/workspaces/files/exec?wait", { command: ["true"] })).body.exitCode).toBe(0);
});

test("a command whose box ends is told with a code, and the workspace goes on", async () => {
  const { workspaces } = alcove.plane.client;
  await workspaces.create({ name: "falls" });
  const said: string[] = [];
  const follow = async () => {
    for await (const event of workspaces.exec("falls", {
      command: ["sh", "-c", "echo on; sleep 1; pkill -9 -x alcove-daemon; sleep 60"],
    }))
      if (event.kind === "stdout") said.push(event.data);
  };
  await expect(follow()).rejects.toMatchObject({ code: "workspace_unreachable" });
  expect(said.join("")).toBe("on\n");
  await expect
    .poll(() =>
      workspaces.execAndWait("falls", { command: ["true"] }).then(
        ({ exitCode }) => exitCode,
        () => null,
      ),
    )
    .toBe(0);
  await workspaces.delete("falls");
});

test("an API key works until it is revoked, and the owner's link signs in once", async () => {
  const key = (await call("POST", "/keys", { name: "ci" })).body;
  expect(key.key).toMatch(/^alc_/);
  const headers = { authorization: `Bearer ${key.key}` };
  expect((await call("GET", "/me", undefined, headers)).body).toMatchObject({ role: "owner" });
  expect((await call("GET", "/keys")).body.items[0]).not.toHaveProperty("key");
  await call("DELETE", `/keys/${key.id}`);
  expect((await call("GET", "/me", undefined, headers)).status).toBe(401);

  const first = await fetch(alcove.plane.signInLink, { redirect: "manual" });
  expect([first.status, first.headers.get("location")]).toEqual([302, "/"]);
  const cookie = first.headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ");
  const own = await fetch(`${alcove.plane.address}/api/v1/me`, { headers: { cookie } });
  expect(await own.json()).toMatchObject({ role: "owner" });
  const foreign = await fetch(`${alcove.plane.address}/api/v1/keys`, {
    method: "POST",
    headers: { cookie, origin: "https://evil.example", "content-type": "application/json" },
    body: '{"name":"x"}',
  });
  expect([foreign.status, problemOf(await foreign.json())]).toEqual([403, "origin_refused"]);
  const second = await fetch(alcove.plane.signInLink, { redirect: "manual" });
  expect(second.headers.get("location")).toBe("/sign-in?error=sign_in_link_spent");
});

test("the OpenAPI document names every call and validates as 3.1", async () => {
  const document = (await call("GET", "/openapi.json")).body;
  expect(document.openapi).toBe("3.1.0");
  expect(await new Validator().validate(document)).toEqual({ valid: true });
  for (const path of [
    "/workspaces",
    "/workspaces/{id}",
    "/runs",
    "/runs/{id}/events",
    "/agents",
    "/providers/{name}",
    "/approvals/{id}",
    "/workspaces/{id}/files/{path}",
    "/workspaces/{id}/archive/{path}",
    "/workspaces/{id}/snapshots/{snapshot}/files/{path}",
    "/workspaces/{id}/export",
    "/workspaces/import",
    "/templates/upload",
    "/runs/{id}/files/{path}",
  ]) {
    expect(Object.keys(document.paths)).toContain(path);
  }
});
