/** One JSON line on standard error; the host keeps them. */
export function log(
  level: "info" | "warn" | "error",
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  // `process.stderr` would load the modules of streams, sockets and terminals: two megabytes in each box.
  console.error(JSON.stringify({ at: new Date().toISOString(), level, message, ...fields }));
}

/** An unknown thrown value as text for a log line. */
export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
