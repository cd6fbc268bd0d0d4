import { readSync } from "node:fs";

/**
 * Waits, and does nothing else, until standard input says what this box is: lines of `NAME=value` for the environment, with an empty one behind them. Its root is there
 * then, and the working directory is the folder in it. Where the input ends before, nobody will ever say it: this process ends.
 */
export function hearOfBox(folder: string): void {
  const chunks: Buffer[] = [];
  const chunk = Buffer.alloc(16_384);
  let text = "";
  while (!text.endsWith("\n\n")) {
    const length = readSync(0, chunk);
    if (length === 0) process.exit(1);
    chunks.push(Buffer.from(chunk.subarray(0, length)));
    text = Buffer.concat(chunks).toString();
  }
  for (const line of text.slice(0, -2).split("\n")) {
    const sign = line.indexOf("=");
    process.env[line.slice(0, sign)] = line.slice(sign + 1);
  }
  process.chdir(folder);
}
