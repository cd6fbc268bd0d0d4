import type { Finding } from "@alcove/contract/api/account";
import type { Client } from "@alcove/sdk/client";
import { exitCodes } from "./exit-codes.ts";
import { printable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const marks = { ok: "✓", missing: "!", broken: "✗" } as const;

/** What this server can and cannot do, each with the command that would mend it; exit code 1 when something is broken. */
export async function diagnose(client: Client, terminal: Terminal, { json }: { json: boolean }): Promise<number> {
  const system = await client.system();
  if (json) terminal.write(`${JSON.stringify(system)}\n`);
  else {
    terminal.write(`Alcove ${system.version} at ${system.address}, data in ${system.dataDirectory}\n`);
    terminal.write(formatFindings([...system.findings, templateFinding(system.template)]));
  }
  return system.findings.some((finding) => finding.level === "broken") ? exitCodes.failed : exitCodes.done;
}

function templateFinding({
  state,
  detail,
}: {
  state: "ready" | "building" | "missing" | "failed";
  detail: string;
}): Finding {
  const level = state === "failed" ? "broken" : state === "missing" ? "missing" : "ok";
  return { id: "template", level, title: `The workspaces' own system is ${state}`, detail, remedy: null };
}

/** A line per finding, the worst last, where the eye is: what works by its title, what does not by what is wrong, with the remedy. */
export function formatFindings(findings: Finding[]): string {
  const order = ["ok", "missing", "broken"];
  const sorted = findings.toSorted((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
  return sorted
    .map(({ level, title, detail, remedy }) => {
      const lines = [`${marks[level]} ${level === "ok" || detail === "" ? title : detail}`];
      if (remedy !== null) lines.push(`  → ${remedy}`);
      return `${printable(lines.join("\n"))}\n`;
    })
    .join("");
}
