export type Progress = {
  /** Shows the step while it is done, and how long it took. Quick steps that change nothing are not worth a line: use `quietly`. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  say(line: string): void;
};

/** Progress on the terminal: a line per step, written over where the output is a terminal. */
export function createProgress(output: NodeJS.WriteStream = process.stdout): Progress {
  return {
    async step(title, work) {
      const begun = performance.now();
      if (output.isTTY) output.write(`  ${title} …`);
      const end = (mark: string) => {
        const seconds = ((performance.now() - begun) / 1000).toFixed(1);
        output.write(`${output.isTTY ? "\r\x1b[K" : ""}${mark} ${title} (${seconds} s)\n`);
      };
      try {
        const value = await work();
        end("✓");
        return value;
      } catch (error) {
        end("✗");
        throw error;
      }
    },
    say: (line) => void output.write(`${line}\n`),
  };
}
