import type { CreateRun } from "@alcove/contract/api/run";
import type { Client } from "@alcove/sdk/client";
import { exitCodes } from "./exit-codes.ts";
import { createRunRenderer } from "./run-rendering.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Starts a run and prints its stream until it has ended; gives the exit code. With `json` every stored event is one line of JSON, the run
 * itself the last. The first Ctrl-C cancels the run and waits for its end, the second leaves at once.
 */
export async function runPrompt(
  client: Client,
  terminal: Terminal,
  request: CreateRun,
  { json }: { json: boolean },
): Promise<number> {
  const leaving = new AbortController();
  const { id } = await client.runs.create(request);
  let interrupted = false;
  using _ = terminal.onInterrupt(() => {
    if (interrupted) leaving.abort();
    else {
      interrupted = true;
      terminal.writeError("Cancelling the run; press Ctrl-C again to leave it.\n");
      client.runs.cancel(id).catch(() => leaving.abort());
    }
  });
  const renderer = createRunRenderer({ color: terminal.color });
  const write = (pieces: ReturnType<typeof renderer.render>) => {
    for (const piece of pieces)
      if (piece.to === "answer") terminal.write(piece.text);
      else terminal.writeError(piece.text);
  };
  try {
    for await (const item of client.runs.events(id, { signal: leaving.signal })) {
      if (!json) write(renderer.render(item));
      else if (item.type === "event") terminal.write(`${JSON.stringify(item.event)}\n`);
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
    terminal.writeError(`The run ${id} may go on; see it on the page.\n`);
    return exitCodes.interrupted;
  }
  const run = await client.runs.get(id);
  if (json) terminal.write(`${JSON.stringify(run)}\n`);
  else write(renderer.finish(run));
  if (run.state === "succeeded") return exitCodes.done;
  return interrupted ? exitCodes.interrupted : exitCodes.failed;
}
