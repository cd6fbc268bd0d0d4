import type { Approval } from "@alcove/contract/api/run";

/** The question in words; agents often repeat the command as its title. */
export function questionOf({ title, subject }: { title: string; subject: string | null }): string {
  return title.trim() === subject?.trim() ? "Run this command?" : title;
}

/** What a button does and how long it holds. What holds for longer than this once is said in the agent's own words. */
export function optionLabel({ kind, label }: Approval["options"][number]): string {
  switch (kind) {
    case "allow_once":
      return "Allow once";
    case "reject_once":
      return "Deny";
    case "allow_always":
    case "reject_always":
      return label;
  }
}
