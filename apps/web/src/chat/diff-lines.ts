import { diffLines, diffWordsWithSpace } from "diff";

export interface Span {
  text: string;
  changed: boolean;
}
export interface DiffLine {
  type: "same" | "add" | "del";
  number: number;
  spans: Span[];
}
export interface Hunk {
  from: number;
  to: number;
  lines: DiffLine[];
}
export interface FileDiff {
  hunks: Hunk[];
  added: number;
  removed: number;
}

/** Larger texts are shown whole as new: finding the smallest difference would hold up the page. */
const longestText = 400_000;
const contextLines = 3;

/** The difference of two texts as hunks with `contextLines` around each change; numbers are those of the new text, and of the old one for deleted lines. */
export function diffOf(oldText: string | null, newText: string): FileDiff {
  const tooLong = (oldText?.length ?? 0) + newText.length > longestText;
  const lines = tooLong ? allNew(newText) : compare(oldText ?? "", newText);
  return {
    hunks: hunksOf(lines),
    added: lines.filter((line) => line.type === "add").length,
    removed: lines.filter((line) => line.type === "del").length,
  };
}

function allNew(text: string): DiffLine[] {
  return linesOf(text).map((line, index) => ({
    type: "add",
    number: index + 1,
    spans: [{ text: line, changed: false }],
  }));
}

function compare(oldText: string, newText: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let oldNumber = 1;
  let newNumber = 1;
  const parts = diffLines(oldText, newText);
  for (const [index, part] of parts.entries()) {
    const texts = linesOf(part.value);
    if (part.removed) {
      const next = parts[index + 1];
      const partners = next?.added ? linesOf(next.value) : [];
      for (const [at, text] of texts.entries())
        lines.push({ type: "del", number: oldNumber++, spans: spansOf(text, partners[at], "del") });
      continue;
    }
    if (part.added) {
      const before = parts[index - 1];
      const partners = before?.removed ? linesOf(before.value) : [];
      for (const [at, text] of texts.entries())
        lines.push({ type: "add", number: newNumber++, spans: spansOf(text, partners[at], "add") });
      continue;
    }
    for (const text of texts) {
      lines.push({ type: "same", number: newNumber++, spans: [{ text, changed: false }] });
      oldNumber += 1;
    }
  }
  return lines;
}

/** The words of a line that differ from its partner; none are marked when hardly anything is the same. */
function spansOf(text: string, partner: string | undefined, side: "add" | "del"): Span[] {
  const whole = [{ text, changed: false }];
  if (partner === undefined || text.length > 2_000 || partner.length > 2_000) return whole;
  const words = side === "add" ? diffWordsWithSpace(partner, text) : diffWordsWithSpace(text, partner);
  const spans = words
    .filter((word) => (side === "add" ? !word.removed : !word.added))
    .map((word) => ({ text: word.value, changed: word.added || word.removed }));
  const same = spans.filter((span) => !span.changed).reduce((sum, span) => sum + span.text.trim().length, 0);
  return same * 3 < text.trim().length ? whole : spans;
}

function hunksOf(lines: DiffLine[]): Hunk[] {
  const near = new Set<number>();
  for (const [index, line] of lines.entries()) {
    if (line.type === "same") continue;
    for (let at = index - contextLines; at <= index + contextLines; at += 1) near.add(at);
  }
  const hunks: Hunk[] = [];
  let current: DiffLine[] = [];
  const close = () => {
    const numbers = current.filter((line) => line.type !== "del").map((line) => line.number);
    const all = numbers.length > 0 ? numbers : current.map((line) => line.number);
    if (current.length > 0) hunks.push({ from: Math.min(...all), to: Math.max(...all), lines: current });
    current = [];
  };
  for (const [index, line] of lines.entries()) {
    if (near.has(index)) current.push(line);
    else close();
  }
  close();
  return hunks;
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
