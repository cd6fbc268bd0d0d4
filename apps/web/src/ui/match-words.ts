/** How well a name fits what is typed, for cmdk: every typed word must be in it; names that begin with the text come first. */
export function matchWords(value: string, search: string, keywords: string[] = []): number {
  const name = [value, ...keywords].join(" ").toLowerCase();
  const typed = search.trim().toLowerCase();
  if (!typed.split(/\s+/).every((word) => name.includes(word))) return 0;
  return name.startsWith(typed) ? 1 : name.includes(typed) ? 0.7 : 0.4;
}
