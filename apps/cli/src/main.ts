import { toCodedError } from "@alcove/contract/errors";
import { CommanderError } from "commander";
import { describeFailure, exitCodeOf, exitCodes } from "./exit-codes.ts";
import { createProgram } from "./program.ts";
import { createTerminal } from "./terminal.ts";

const terminal = createTerminal(process.env);
// A reader that has seen enough, as in `alcove ws ls | head -1`, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? exitCodes.done : exitCodes.failed),
);

const program = createProgram(terminal, process.env, (exitCode) => {
  process.exitCode = exitCode;
});
for (const command of [program, ...program.commands, ...program.commands.flatMap((inner) => inner.commands)])
  command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  else {
    const failure = toCodedError(error);
    terminal.writeError(describeFailure(failure));
    process.exitCode = process.argv[2] === "exec" ? exitCodes.ownFailureOfExec : exitCodeOf(failure);
  }
}
