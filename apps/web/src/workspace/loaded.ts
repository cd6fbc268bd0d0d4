import { CodedError } from "@alcove/contract/errors";

const pauseMs = 1_000;
const attempts = 5;

/** A part of the page that is loaded when it is needed; while the network is away it is tried again. Code: `server_unreachable`. */
export async function loaded<T>(load: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ;) {
    try {
      return await load();
    } catch (cause) {
      if (navigator.onLine) attempt += 1;
      if (attempt > attempts)
        throw new CodedError("server_unreachable", "A part of the page could not be loaded.", { cause });
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
