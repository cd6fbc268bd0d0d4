import { isHostName } from "@alcove/contract/api/network";
import type { WorkspaceEventBody } from "@alcove/contract/api/workspace-event";

/** One sentence for people. */
export function eventText(body: WorkspaceEventBody): string {
  switch (body.kind) {
    case "limit.reached":
      return limitText(body.data);
    case "network.denied": {
      const { host, port, canAllow } = body.data;
      const where = port === null ? host : `${host}, port ${port}`;
      if (canAllow) return `Refused: the network does not allow ${where}`;
      return isHostName(host)
        ? `Refused: ${where}, which leads to an address that no workspace may reach`
        : `Refused: ${where}, an address; the allow-list holds names`;
    }
    case "box.started":
    case "box.frozen":
    case "box.thawed":
    case "box.stopped":
      return body.data.why;
    case "box.died":
      return body.data.next === "restart"
        ? "The box ended by itself and is started again; the files are as they were"
        : "The box ended by itself; the files are as they were";
    case "changed":
      return {
        limits: "The limits were changed",
        network: "The network was changed",
        lifetime: "The lifetime was changed",
      }[body.data.what];
  }
}

function limitText({ limit, process, at }: Extract<WorkspaceEventBody, { kind: "limit.reached" }>["data"]): string {
  switch (limit) {
    case "memory":
      return `Out of memory: ${process === null ? "a program" : `\`${process}\``} was ended${at === null ? "" : ` at ${bytes(at)}`}`;
    case "processes":
      return `Out of processes: no more than ${at ?? "the limit"} can run at once`;
    case "disk":
      return `The disk is full: the workspace may hold ${at === null ? "no more" : bytes(at)}`;
  }
}

function bytes(value: number): string {
  const gib = value / 2 ** 30;
  return gib >= 1 ? `${Number(gib.toFixed(1))} GiB` : `${Math.round(value / 2 ** 20)} MiB`;
}
