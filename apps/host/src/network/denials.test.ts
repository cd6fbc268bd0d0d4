import { expect, test } from "vitest";
import { createDenials, type Denial } from "./denials.ts";

test("a host that is asked for again and again is told once in ten seconds", () => {
  let at = 1_000_000;
  const told: Denial[] = [];
  const deny = createDenials(
    (denial) => told.push(denial),
    () => at,
  );
  const denial = { host: "a.test", port: 443, canAllow: true };
  for (let times = 0; times < 5; times += 1) deny(denial);
  expect(told).toEqual([denial]);
  deny({ ...denial, port: 80 });
  expect(told).toHaveLength(2);
  at += 10_000;
  deny(denial);
  expect(told).toHaveLength(3);
});

test("a box that asks for thousands of hosts is told of sixty times a minute", () => {
  let at = 1_000_000;
  const told: Denial[] = [];
  const deny = createDenials(
    (denial) => told.push(denial),
    () => at,
  );
  for (let index = 0; index < 5_000; index += 1) deny({ host: `${index}.test`, port: null, canAllow: true });
  expect(told).toHaveLength(60);
  at += 60_000;
  deny({ host: "later.test", port: null, canAllow: true });
  expect(told).toHaveLength(61);
});
