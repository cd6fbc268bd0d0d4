import { nameSchema } from "@alcove/contract/api/workspace";

/** What a name may be, for the help text of a field. */
export const nameRule = "At most 40 lower-case letters, digits and hyphens, with no hyphen at either end";

const longest = 40;

/** What of a typed name breaks the rule, as a sentence; null when the server takes it, or nothing was typed yet. */
export function nameProblem(name: string): string | null {
  if (name === "" || nameSchema.safeParse(name).success) return null;
  const wrong = [...new Set(name.replace(/[a-z0-9-]/g, ""))].map((character) => `“${character}”`);
  if (wrong.length > 0) return `A name has no ${wrong.join(" and no ")}`;
  if (name.length > longest) return `At most ${longest} characters: these are ${name.length}`;
  return name.startsWith("-") ? "A name does not begin with a hyphen" : "A name does not end with a hyphen";
}
