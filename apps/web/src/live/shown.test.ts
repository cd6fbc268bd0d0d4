import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchShown } from "./shown.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function page() {
  const target = new EventTarget();
  const document = Object.assign(target, { hidden: false });
  const shown = watchShown(document);
  const heard: boolean[] = [];
  shown.subscribe(() => heard.push(shown.get()));
  const hide = (hidden: boolean) => {
    document.hidden = hidden;
    target.dispatchEvent(new Event("visibilitychange"));
  };
  return { shown, heard, hide };
}

test("a page in the background counts as shown for ten seconds, and again at once when somebody comes back", () => {
  const { shown, heard, hide } = page();
  hide(true);
  vi.advanceTimersByTime(9_999);
  expect(shown.get()).toBe(true);
  vi.advanceTimersByTime(1);
  expect(shown.get()).toBe(false);
  hide(false);
  expect(heard).toEqual([false, true]);
});

test("a short look elsewhere changes nothing", () => {
  const { heard, hide } = page();
  hide(true);
  vi.advanceTimersByTime(5_000);
  hide(false);
  vi.advanceTimersByTime(60_000);
  expect(heard).toEqual([]);
});
