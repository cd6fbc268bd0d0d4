import type { Script } from "./script.ts";

/** What the model does for a prompt without a script, so that a demonstration needs none. `results` are the outputs of its tools so far. */
export function defaultScript(prompt: string, results: readonly string[]): Script {
  const source = /\b([\w./-]+\.(?:md|txt|csv))\b/.exec(prompt)?.[1];
  const subject = subjectOf(prompt);
  if (subject === null) {
    return [
      { think: "The request names no document to write. A look at the folder shows what there is to work with." },
      { shell: "ls -la" },
      {
        say: "I have looked at the folder. Tell me which document you would like, for example a brief, a summary or an update, and which notes it should draw on.",
      },
    ];
  }
  const path = `${subject
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")}.md`;
  const notes = bulletsOf(results.join("\n"));
  return [
    {
      think: `A short ${subject.toLowerCase()} is wanted. ${source === undefined ? "First a look at the folder." : `First I read ${source}.`}`,
    },
    { shell: source === undefined ? "ls -la" : `cat ${source}` },
    { think: "The facts are clear. A reader wants the result first, then the figures, then what comes next." },
    { write: { path, content: formatDocument(subject, notes) } },
    {
      say: `The ${subject.toLowerCase()} is ready in ${path}: the headline first, then the figures, the risks and what comes next.`,
    },
  ];
}

/** "Investor update Q4" in "Create a brief investor update about Q4 from notes.md"; null when the prompt asks for no document. */
function subjectOf(prompt: string): string | null {
  const match =
    /\b(?:create|write|draft|make|prepare)\s+(?:me\s+)?(?:an?\s+|the\s+)?(?:brief\s+|short\s+|quick\s+)?([a-z][a-z ]{2,40}?)(?:\s+(?:about|for|on)\s+([\w ]{1,30}?))?(?:\s+(?:from|in|using|based)\b|[.,!?\n]|$)/i.exec(
      prompt,
    );
  const what = match?.[1]?.trim();
  if (
    what === undefined ||
    !/\b(?:update|brief|summary|report|memo|plan|note|letter|overview|document|proposal|agenda)s?\b/i.test(what)
  )
    return null;
  const about = match?.[2]?.trim();
  const words = about === undefined ? what : `${what} ${about}`;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function bulletsOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => /^\s*(?:\d+\s*[:→|]?\s*)?[-*]\s+(.{4,160})$/.exec(line)?.[1]?.trim())
    .filter((line) => line !== undefined)
    .slice(0, 8);
}

function formatDocument(subject: string, notes: readonly string[]): string {
  const facts =
    notes.length > 0
      ? notes
      : ["Revenue grew 18 % over the quarter", "Twelve new customers signed, none left", "The team is now nine people"];
  return `# ${subject}

**In one sentence:** ${facts[0] ?? ""}.

## Highlights

${facts.map((fact) => `- ${fact}`).join("\n")}

## Figures

| Measure | This quarter | Last quarter | Change |
| --- | ---: | ---: | ---: |
| Recurring revenue | $1.24 M | $1.05 M | +18 % |
| Customers | 61 | 49 | +12 |
| Net retention | 118 % | 113 % | +5 points |
| Cash in the bank | $3.9 M | $4.3 M | −$0.4 M |

## What we watch

1. **Concentration.** The three largest customers bring 31 % of revenue; two renewals fall into the next quarter.
2. **Hiring.** Two engineering roles have been open for more than sixty days.

## What comes next

- Ship the self-hosted edition to the first ten design partners.
- Close the two renewals before the end of February.
- Publish the security review.

> Thank you for your trust. Questions are welcome at any time.
`;
}
