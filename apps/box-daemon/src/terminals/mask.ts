/**
 * Questions that a program asks of its terminal (cursor position, colours, identity; ECMA-48 and xterm's "Control Sequences"). tmux answers them; if a
 * page that shows the same bytes answered too, the answer would arrive as typed text.
 */
const questions = new RegExp(
  [
    String.raw`\x1b\[[>=]?[0-9;]*c`,
    String.raw`\x1b\[\??[0-9;]*n`,
    String.raw`\x1b\[[0-9;]*x`,
    String.raw`\x1b\[\??[0-9;]*\$p`,
    String.raw`\x1b\[>[0-9;]*q`,
    String.raw`\x1b\[\?u`,
    String.raw`\x1b\[(?:1[1-689]|2[01])(?:;[0-9]+)*t`,
    String.raw`\x1b\](?:4;[0-9]+|1[0-9]);\?(?:\x07|\x1b\\)`,
    String.raw`\x1bP[+$]q[^\x1b]*\x1b\\`,
  ].join("|"),
  "g",
);

/** Replaces questions by as many NUL bytes, which terminals ignore: offsets stay what they are. */
export function maskQuestions(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(0x1b)) return bytes;
  const masked = Buffer.from(bytes);
  for (const match of masked.toString("latin1").matchAll(questions))
    masked.fill(0, match.index, match.index + match[0].length);
  return masked;
}

const unfinished = /\x1b(?:\[[0-9;?>=$]{0,32}|\][^\x07\x1b]{0,64}\x1b?|P[+$]?q?[^\x1b]{0,64}\x1b?)?$/;

/** Number of bytes at the end that begin an escape sequence whose rest is missing; frames are cut before it. */
export function unfinishedSequence(bytes: Uint8Array): number {
  const tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - 72))).toString("latin1");
  return unfinished.exec(tail)?.[0].length ?? 0;
}
