import { CodedError } from "@alcove/contract/errors";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createClient, type Client } from "./client.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** A real server whose answers the test writes; gives a client of it and the requests that it got. */
async function serve(handler: Handler, key?: string): Promise<{ client: Client; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push({
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  });
  const { port } = server.address() as AddressInfo;
  return {
    client: createClient({ baseUrl: `http://127.0.0.1:${port}`, ...(key === undefined ? {} : { key }) }),
    requests,
  };
}

function json(response: ServerResponse, status: number, body: unknown, type = "application/json"): void {
  response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
}

function stateEvent(seq: number, state: string): string {
  const event = { run: "run_1", seq, at: "2026-01-03T10:00:00.000Z", kind: "run.state", data: { state, error: null } };
  return `id: ${seq}\nevent: run.state\ndata: ${JSON.stringify(event)}\n\n`;
}

function stream(response: ServerResponse, ...parts: string[]): ServerResponse {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const part of parts) response.write(part);
  return response;
}

function runAnswer(state: string, lastSeq: number) {
  return {
    id: "run_1",
    session: "ses_1",
    workspace: "ws_1",
    workspaceName: "blog",
    agent: "codex",
    model: null,
    mode: "process",
    prompt: "Do it",
    title: "Do it",
    state,
    text: "",
    files: [],
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, requests: 0 },
    costUsd: null,
    error: null,
    undo: "none",
    lastSeq,
    createdAt: "2026-01-03T10:00:00.000Z",
    startedAt: null,
    endedAt: null,
  };
}

async function seqsOf(client: Client, options?: Parameters<Client["runs"]["events"]>[1]): Promise<number[]> {
  const seqs: number[] = [];
  for await (const item of client.runs.events("run_1", options)) if (item.type === "event") seqs.push(item.event.seq);
  return seqs;
}

test("the key is sent and the answer is parsed", async () => {
  const { client, requests } = await serve(
    (_, response) =>
      json(response, 200, { id: "usr_1", name: "Maya", email: null, role: "owner", hasPassword: false, more: 1 }),
    "alc_secret",
  );
  expect(await client.me.get()).toEqual({ id: "usr_1", name: "Maya", email: null, role: "owner", hasPassword: false });
  expect(requests[0]?.headers.authorization).toBe("Bearer alc_secret");
  expect(requests[0]?.url).toBe("/api/v1/me");
});

test("a problem is thrown with the server's code, detail and hint", async () => {
  const problem = {
    type: "about:blank",
    title: "t",
    status: 409,
    code: "name_taken",
    detail: 'The name "blog" is in use',
    hint: "Choose another",
  };
  const { client } = await serve((_, response) => json(response, 409, problem, "application/problem+json"));
  const error = await client.workspaces.create({ name: "blog" }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CodedError);
  expect(error).toMatchObject({ code: "name_taken", message: 'The name "blog" is in use', hint: "Choose another" });
});

test("an answer of a proxy is judged by its status, one of another shape is internal", async () => {
  const { client } = await serve((request, response) =>
    request.url === "/api/v1/me" ? void response.writeHead(401).end("<html>") : json(response, 200, { items: "none" }),
  );
  await expect(client.me.get()).rejects.toMatchObject({ code: "not_signed_in" });
  await expect(client.agents.list()).rejects.toMatchObject({ code: "internal" });
});

test("a server that is not there is server_unreachable, an aborted call throws its reason", async () => {
  const client = createClient({ baseUrl: "http://127.0.0.1:9" });
  await expect(client.welcome()).rejects.toMatchObject({ code: "server_unreachable" });
  await expect(client.welcome({ signal: AbortSignal.abort(new Error("left")) })).rejects.toThrow("left");
});

test("a dropped line of events is taken up behind the last one, and each event comes once", async () => {
  const cursors: (string | undefined)[] = [];
  const { client } = await serve((request, response) => {
    if (!request.url?.includes("/events")) return json(response, 200, runAnswer("succeeded", 3));
    cursors.push(request.headers["last-event-id"]?.toString());
    if (cursors.length > 1) return void stream(response, stateEvent(2, "running"), stateEvent(3, "succeeded")).end();
    const sent = stream(response, stateEvent(1, "preparing"), stateEvent(2, "running"));
    setImmediate(() => sent.socket?.destroy());
  });
  const lines: string[] = [];
  const seqs = await seqsOf(client, { onLine: (line) => lines.push(line.state) });
  expect(seqs).toEqual([1, 2, 3]);
  expect(cursors).toEqual(["0", "2"]);
  expect(lines).toEqual(["open", "lost", "open"]);
});

test("a stream that the server ends early goes on until the run's last event", async () => {
  let streams = 0;
  const { client } = await serve((request, response) => {
    if (!request.url?.includes("/events")) return json(response, 200, runAnswer("succeeded", 2));
    streams += 1;
    stream(response, stateEvent(streams, streams === 1 ? "running" : "succeeded")).end();
  });
  expect(await seqsOf(client)).toEqual([1, 2]);
});

test("live text passes through without moving the cursor, an unknown kind is passed over", async () => {
  const delta = { run: "run_1", item: "a", of: "agent_message", at: 0, text: "Hel" };
  const { client } = await serve((request, response) => {
    if (!request.url?.includes("/events")) return json(response, 200, runAnswer("succeeded", 2));
    const unknown = `id: 1\nevent: new.kind\ndata: ${JSON.stringify({ run: "run_1", seq: 1, at: "x", kind: "new.kind", data: {} })}\n\n`;
    stream(
      response,
      ": alive\n\n",
      `event: delta\ndata: ${JSON.stringify(delta)}\n\n`,
      unknown,
      stateEvent(2, "succeeded"),
    ).end();
  });
  const items = await Array.fromAsync(client.runs.events("run_1"));
  expect(items).toMatchObject([
    { type: "delta", delta },
    { type: "event", event: { seq: 2 } },
  ]);
});

test("a refusal ends the stream of events instead of being asked again", async () => {
  const { client, requests } = await serve((_, response) => void response.writeHead(404).end());
  await expect(seqsOf(client)).rejects.toMatchObject({ code: "not_found" });
  expect(requests).toHaveLength(1);
});

test("output of a command comes as it is written and ends with the exit code", async () => {
  const { client } = await serve((_, response) => {
    const lines = [
      { kind: "stdout", data: "one\n" },
      { kind: "stderr", data: "two\n" },
      { kind: "exit", exitCode: 3 },
    ];
    stream(response, ...lines.map((line) => `event: ${line.kind}\ndata: ${JSON.stringify(line)}\n\n`)).end();
  });
  expect(await Array.fromAsync(client.workspaces.exec("blog", { command: ["ls"] }))).toEqual([
    { kind: "stdout", data: "one\n" },
    { kind: "stderr", data: "two\n" },
    { kind: "exit", exitCode: 3 },
  ]);
});

test("a command whose line drops before its exit code is workspace_unreachable", async () => {
  const { client } = await serve(
    (_, response) =>
      void stream(response, `event: stdout\ndata: ${JSON.stringify({ kind: "stdout", data: "one" })}\n\n`).end(),
  );
  await expect(Array.fromAsync(client.workspaces.exec("blog", { command: ["ls"] }))).rejects.toMatchObject({
    code: "workspace_unreachable",
  });
});

test("every part of a file's path is encoded, and a write says what it may replace", async () => {
  const { client, requests } = await serve((_, response) => void response.writeHead(201, { etag: '"b"' }).end());
  expect(await client.files.write("blog", "user/projects/a b/50%.md", "text", { ifMatch: '"a"' })).toEqual({
    etag: '"b"',
  });
  expect(requests[0]?.url).toBe("/api/v1/workspaces/blog/files/user/projects/a%20b/50%25.md");
  expect(requests[0]?.headers["if-match"]).toBe('"a"');
});
