import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import { afterEach, expect, test } from "vitest";
import { createUpstream } from "./upstream.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listening(server: net.Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const call = (target: string) => ({
  target: new URL(target),
  method: "GET",
  headers: {},
  body: undefined,
  signal: AbortSignal.timeout(10_000),
});

test("calls go through the machine's proxy, but for those to the machine itself", async () => {
  const model = await listening(http.createServer((request, response) => response.end(`model ${request.url}`)));
  const proxy = await listening(http.createServer((request, response) => response.end(`proxy ${request.url}`)));
  const upstream = createUpstream({ HTTP_PROXY: `http://127.0.0.1:${proxy}`, NO_PROXY: "127.0.0.1" });
  closing.push(() => upstream.close());
  const answer = async (target: string) => (await (await upstream.call(call(target))).toArray()).join("");
  expect(await answer("http://models.example/v1/models")).toBe("proxy http://models.example/v1/models");
  expect(await answer(`http://127.0.0.1:${model}/v1/models`)).toBe("model /v1/models");
});

test("a provider that closes a kept connection is called again", async () => {
  let calls = 0;
  const server = http.createServer((_, response) => {
    calls += 1;
    response.end("answer");
  });
  const model = await listening(server);
  const upstream = createUpstream();
  closing.push(() => upstream.close());
  for (const _ of [1, 2, 3]) {
    const answer = await upstream.call(call(`http://127.0.0.1:${model}/`));
    await answer.toArray();
    server.closeAllConnections();
  }
  expect(calls).toBe(3);
});
