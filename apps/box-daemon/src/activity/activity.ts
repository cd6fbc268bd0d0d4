import type { BoxActivity } from "@alcove/contract/box/activity";

type Work = BoxActivity["busy"][number];

/** What is in flight as long as somebody holds it: a command that is waited for, a connection to a port. */
export interface InFlight {
  hold(work: Work): () => void;
  list(): Work[];
}

export function createInFlight(): InFlight {
  const held = new Set<Work>();
  return {
    hold(work) {
      // Two connections to one port are two.
      const own = { ...work };
      held.add(own);
      return () => held.delete(own);
    },
    list: () => [...held],
  };
}
