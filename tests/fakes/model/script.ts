/**
 * What the stand-in model does for one prompt. The script travels in the prompt itself, so the server keeps nothing:
 * `[[script: [{"think":"…"}, {"write":{"path":"a.md","content":"…"}}, {"say":"…"}]]]`, or the same list in a fenced block of language `script`.
 */
export type Step =
  | { think: string }
  | { say: string }
  | { write: { path: string; content: string } }
  | { shell: string }
  /** Milliseconds between chunks from here on. */
  | { delay: number }
  /** Answers with this HTTP status instead; with `times`, only so often for the same script. */
  | { fault: number; times?: number }
  | { end: true };

export type Script = readonly Step[];

/** Formats a prompt that carries its script. */
export function scriptedPrompt(text: string, script: Script): string {
  return `${text}\n[[script: ${JSON.stringify(script)}]]`;
}

/** The script in a prompt; null when it carries none. */
export function findScript(prompt: string): Script | null {
  const fenced = /```script\n([\s\S]*?)\n```/.exec(prompt)?.[1];
  if (fenced !== undefined) return parseScript(fenced);
  const marker = "[[script:";
  const start = prompt.indexOf(marker);
  if (start < 0) return null;
  const rest = prompt.slice(start + marker.length);
  // The list may itself hold "]]": the first place at which it parses is its end.
  for (let end = rest.indexOf("]]"); end >= 0; end = rest.indexOf("]]", end + 1)) {
    const script = parseScript(rest.slice(0, end));
    if (script !== null) return script;
  }
  return null;
}

function parseScript(text: string): Script | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as Script) : null;
  } catch {
    return null;
  }
}

/** The steps of one answer, up to the tool call that ends it. `toolTurns` is the number of tool calls that this prompt has led to already. */
export function stepsOfRound(script: Script, toolTurns: number): Step[] {
  let skip = toolTurns;
  const steps: Step[] = [];
  for (const step of script) {
    const isTool = "write" in step || "shell" in step;
    if (skip > 0) {
      if (isTool) skip -= 1;
      // The pace stays what it was.
      if ("delay" in step) steps.push(step);
      continue;
    }
    if ("end" in step) return steps;
    steps.push(step);
    if (isTool) return steps;
  }
  return steps;
}
