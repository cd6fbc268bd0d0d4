import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { refreshAll } from "./refresh.ts";

test("after a lost line nothing is asked of a box that sleeps by now", async () => {
  const queryClient = new QueryClient();
  queryClient.setQueryData(["workspace", "asleep"], { box: "none" });
  queryClient.setQueryData(["workspace", "awake"], { box: "running" });
  for (const name of ["asleep", "awake"]) queryClient.setQueryData(["folder", name, "user/projects"], []);
  queryClient.setQueryData(["runs"], []);
  await refreshAll(queryClient);
  const isStale = (...key: string[]) => queryClient.getQueryState(key)?.isInvalidated;
  expect(isStale("runs")).toBe(true);
  expect(isStale("folder", "awake", "user/projects")).toBe(true);
  expect(isStale("folder", "asleep", "user/projects")).toBe(false);
});
