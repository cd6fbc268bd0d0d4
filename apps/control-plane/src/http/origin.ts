/** True when a browser says that a page of this very host makes the request. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (!origin || !host) return false;
  try {
    return new URL(origin).host === host;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
