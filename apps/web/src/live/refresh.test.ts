import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { markStale, refreshAll } from "./refresh.ts";

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

test("an answer that was on its way when something changed is asked for again", async () => {
  const queryClient = new QueryClient();
  const asked: ((answer: string) => void)[] = [];
  const queryFn = () => new Promise<string>((resolve) => asked.push(resolve));
  const observer = new QueryObserver(queryClient, { queryKey: ["runs"], queryFn, staleTime: 30_000 });
  const stop = observer.subscribe(() => undefined);
  const refreshed = markStale(queryClient, { queryKey: ["runs"] });
  asked[0]?.("old");
  await expect.poll(() => asked.length).toBe(2);
  asked[1]?.("new");
  await refreshed;
  expect(observer.getCurrentResult().data).toBe("new");
  stop();
});
