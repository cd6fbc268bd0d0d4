import { createServer } from "node:net";
import { expect, test } from "vitest";
import { requireFreePort } from "./port.ts";

test("a port that another program uses is refused with the port to try instead", async () => {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await expect(requireFreePort("127.0.0.1", port)).rejects.toMatchObject({
    code: "port_taken",
    hint: expect.stringContaining(`ALCOVE_PORT=${port + 1}`),
  });
  await new Promise((resolve) => server.close(resolve));
  await requireFreePort("127.0.0.1", port);
});

test("an address that is not of this machine is said to be so", async () => {
  await expect(requireFreePort("192.0.2.1", 7700)).rejects.toMatchObject({ code: "bad_request" });
});
