import { useCallback, useSyncExternalStore } from "react";

function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

/** True where one part is shown at a time. */
export const usePhone = () => useMedia("(width < 52rem)");

/** True where side lists go above or away. */
export const useNarrow = () => useMedia("(width < 70rem)");
