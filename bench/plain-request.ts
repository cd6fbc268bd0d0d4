import http from "node:http";
import { text } from "node:stream/consumers";
import type { TestAlcove } from "../tests/fixtures/alcove.ts";

/** Asks for a path below `/api/v1` over a connection that is kept, by Node's own client and nothing else. */
export function plainRequests({ plane, secret }: TestAlcove): (path: string) => Promise<void> {
  const agent = new http.Agent({ keepAlive: true });
  const headers = { authorization: `Bearer ${secret}` };
  return (path) =>
    new Promise((resolve, reject) => {
      const request = http.get(`${plane.address}/api/v1${path}`, { agent, headers }, (answer) => {
        text(answer).then((said) => (answer.statusCode === 200 ? resolve() : reject(new Error(said))), reject);
      });
      request.once("error", reject);
    });
}
