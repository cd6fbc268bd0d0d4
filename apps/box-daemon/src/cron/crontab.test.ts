import { expect, test } from "vitest";
import { parseCrontab } from "./crontab.ts";

const at = (time: string) => new Date(`2026-03-02T${time}:00Z`);

test("entries are due when crontab(5) says, in the zone that the table names", () => {
  const { entries, problems } = parseCrontab(
    [
      "# at work",
      "MAILTO=nobody",
      "*/15 9-17 * * 1-5  ./sync --all  # words",
      "@daily backup",
      'CRON_TZ="Asia/Tokyo"',
      "30 6 * * * brew",
    ].join("\n"),
  );
  expect(problems).toEqual([]);
  expect(entries.map(({ command }) => command)).toEqual(["./sync --all  # words", "backup", "brew"]);
  expect(entries.map((entry) => entry.next(at("10:01"))?.toISOString())).toEqual([
    "2026-03-02T10:15:00.000Z",
    expect.stringMatching(/T\d\d:00:00/),
    "2026-03-02T21:30:00.000Z",
  ]);
  expect(entries.map(({ env }) => Object.keys(env))).toEqual([["MAILTO"], ["MAILTO"], ["MAILTO", "CRON_TZ"]]);
});

test("a line that is wrong is told, and the others hold", () => {
  const { entries, problems } = parseCrontab("61 * * * * never\n* * * * *\n@reboot x\nCRON_TZ=Nowhere\n0 0 * * * y\n");
  expect(entries).toEqual([]);
  expect(problems).toHaveLength(4);
  expect(problems[0]).toContain("Line 1");
  expect(parseCrontab("0 0 * * * fine\nnonsense").entries).toHaveLength(1);
});
