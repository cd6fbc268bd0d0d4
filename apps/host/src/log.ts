/** One JSON line on standard error. */
export function logLine(level: "info" | "warn" | "error", message: string, fields: Record<string, unknown> = {}): void {
  const shown = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error ? (value.stack ?? value.message) : value,
    ]),
  );
  process.stderr.write(
    `${JSON.stringify({ time: new Date().toISOString(), level, process: "host", message, ...shown })}\n`,
  );
}
