import { createClient } from "@alcove/sdk/client";

/** The API on the page's own server; the session cookie signs every call. */
export const client = createClient({ baseUrl: location.origin });
