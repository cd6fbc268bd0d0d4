import { useEffect } from "react";
import { titleOf, useOverview } from "../home/use-overview.ts";

/** Names the page in the browser's tab, with the number of things that need somebody. */
export function usePageTitle(page: string): void {
  const { needs } = useOverview();
  useEffect(() => {
    document.title = titleOf(page, needs.length);
  }, [page, needs.length]);
}
