import { problemSchema } from "@alcove/contract/api/problem";
import { errorCatalogue, type CodedError, type ErrorCode } from "@alcove/contract/errors";

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notSignedIn: 3,
  notFound: 4,
  unreachable: 5,
  ownFailureOfExec: 125,
  interrupted: 130,
} as const;

export const exitCodeHelp = `
Exit codes:
    0  done; for \`run\`: the run succeeded
    1  the server refused, or the run failed or was cancelled
    2  the command line is wrong
    3  not signed in, or not allowed
    4  there is no such thing
    5  the server does not answer
  130  interrupted with Ctrl-C
\`exec\` ends with the exit code of the command, and with 125 when the command could not be run.`;

const byCode: Partial<Record<ErrorCode, number>> = {
  not_signed_in: exitCodes.notSignedIn,
  not_allowed: exitCodes.notSignedIn,
  server_unreachable: exitCodes.unreachable,
};

export function exitCodeOf(error: CodedError): number {
  return byCode[error.code] ?? (errorCatalogue[error.code].status === 404 ? exitCodes.notFound : exitCodes.failed);
}

/** How an error is told: its code and sentence, then what to do. An unexpected one also shows where it came from. */
export function describeFailure(error: CodedError): string {
  return `${error.code}: ${error.message}\n${error.hint}${error.code === "internal" ? originOf(error.cause) : ""}\n`;
}

function originOf(cause: unknown): string {
  const problem = problemSchema.safeParse(cause);
  if (problem.success && problem.data.trace) return `\nTrace id: ${problem.data.trace}`;
  return cause instanceof Error ? `\n${cause.stack ?? cause.message}` : "";
}
