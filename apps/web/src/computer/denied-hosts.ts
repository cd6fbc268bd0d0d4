import { allowsHost, isHostName, type Network } from "@alcove/contract/api/network";
import type { WorkspaceEvent } from "@alcove/contract/api/workspace-event";

/** A host that something in the workspace asked for and did not get. */
export interface Denial {
  host: string;
  ports: number[];
  times: number;
  last: string;
  /** `address`: not on the list, which holds names only; `closed`: a name that leads to what no workspace may reach. */
  state: "can_allow" | "allowed" | "address" | "closed";
}

/** Denials by host, the latest first. */
export function denialsOf(events: readonly WorkspaceEvent[], network: Network): Denial[] {
  const byHost = new Map<string, Denial>();
  for (const event of events) {
    if (event.kind !== "network.denied") continue;
    const { host, port, canAllow, times } = event.data;
    const old = byHost.get(host);
    const ports = [...new Set([...(old?.ports ?? []), ...(port === null ? [] : [port])])].toSorted((a, b) => a - b);
    byHost.set(host, {
      host,
      ports,
      times: (old?.times ?? 0) + times,
      last: old && old.last > event.at ? old.last : event.at,
      state: stateOf(host, canAllow, network),
    });
  }
  return [...byHost.values()].toSorted((a, b) => b.last.localeCompare(a.last));
}

function stateOf(host: string, canAllow: boolean, network: Network): Denial["state"] {
  if (!canAllow && isHostName(host)) return "closed";
  if (allowsHost(network, host)) return "allowed";
  return canAllow ? "can_allow" : "address";
}
