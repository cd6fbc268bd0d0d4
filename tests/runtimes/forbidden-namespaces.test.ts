import { expect, test } from "vitest";
import { newId } from "../../packages/contract/src/ids.ts";
import { startTestHost } from "../fixtures/host.ts";

const signal = new AbortController().signal;

test("a kernel that forbids user namespaces is told with the setting and the command that mends it", async () => {
  await using host = await startTestHost({ as: "ordinary user", volumes: "plain", forbidsUserNamespaces: true });
  const remedy = "sudo sysctl -w user.max_user_namespaces=28633";
  const { usable, findings } = await host.runtime.capabilities(signal);
  expect(usable).toBe(false);
  expect(findings).toContainEqual(expect.objectContaining({ id: "user-namespaces", level: "broken", remedy }));
  await expect(host.runtime.create({ workspace: newId("workspace"), name: "blog" }, signal)).rejects.toMatchObject({
    code: "namespaces_forbidden",
    message: expect.stringContaining("user.max_user_namespaces is 0"),
    hint: expect.stringContaining(remedy),
  });
});
