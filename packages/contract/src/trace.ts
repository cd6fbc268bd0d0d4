/** The trace id, 32 hex digits, of a W3C `traceparent` header (https://www.w3.org/TR/trace-context/); undefined where there is none. */
export function traceIdOf(traceparent: string | null | undefined): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(traceparent ?? "")?.[1];
}
