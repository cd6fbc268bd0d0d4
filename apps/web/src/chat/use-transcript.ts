import { useCallback, useSyncExternalStore } from "react";
import { client } from "../live/client.ts";
import { pageShown } from "../live/page-shown.ts";
import type { Transcript } from "./transcript.ts";
import { createTranscripts } from "./transcripts.ts";

const transcripts = createTranscripts({
  events: (run, options) => client.runs.events(run, options),
  // A page in the background draws no frames, and its titles and counts should still be right.
  nextFrame: (callback) => void (document.hidden ? setTimeout(callback, 250) : requestAnimationFrame(callback)),
});

const idle = () => () => undefined;

function useFollow(run: string, on: boolean) {
  const shown = useSyncExternalStore(pageShown.subscribe, pageShown.get);
  const follow = useCallback((onChange: () => void) => transcripts.follow(run, onChange), [run]);
  return on && shown ? follow : idle;
}

/** The run's transcript, live while `on`. */
export function useTranscript(run: string, on: boolean): Transcript {
  return useSyncExternalStore(useFollow(run, on), () => transcripts.get(run));
}

/** The error that ended the run's stream; null while there is none. */
export function useTranscriptFailure(run: string, on: boolean): unknown {
  return useSyncExternalStore(useFollow(run, on), () => transcripts.failure(run));
}
