import type { WebSocketHandler } from "bun";
import { CodedError } from "@alcove/contract/errors";
import { workingDirectory } from "../files/working-directory.ts";
import { readFields } from "../http/body.ts";
import type { Route } from "../http/router.ts";
import type { Environment } from "../system/environment.ts";
import { parseNewTerminal } from "./new-terminal.ts";
import type { LiveTerminal, Terminals } from "./terminal.ts";
import { createViewer, type Viewer } from "./viewer.ts";

/** What a terminal's WebSocket carries. */
export interface Viewing {
  readonly terminal: LiveTerminal;
  readonly after: number | null;
  viewer: Viewer | null;
}

export const terminalSocket: WebSocketHandler<Viewing> = {
  perMessageDeflate: false,
  idleTimeout: 0,
  open(socket) {
    const { terminal, after } = socket.data;
    socket.data.viewer = createViewer(terminal, after, {
      send: (bytes) => void socket.send(bytes),
      waiting: () => socket.getBufferedAmount(),
      close: () => socket.close(),
    });
  },
  message(socket, message) {
    if (typeof message !== "string") socket.data.viewer?.received(message);
  },
  drain(socket) {
    socket.data.viewer?.drained();
  },
  close(socket) {
    socket.data.viewer?.close();
  },
};

export function terminalRoutes(terminals: Terminals, environment: Environment): Route[] {
  return [
    { method: "GET", path: "/v1/terminals", handle: async () => Response.json(await terminals.list()) },
    {
      method: "POST",
      path: "/v1/terminals",
      async handle({ request }) {
        const wanted = parseNewTerminal(await readFields(request), (directory) =>
          workingDirectory(environment, directory),
        );
        return Response.json(await terminals.create(wanted), { status: 201 });
      },
    },
    {
      method: "DELETE",
      path: "/v1/terminals/",
      async handle({ rest }) {
        await terminals.remove(rest);
        return new Response(null, { status: 204 });
      },
    },
    {
      method: "GET",
      path: "/v1/terminals/",
      async handle({ rest, query, upgrade }) {
        const [id, what] = rest.split("/");
        const terminal = what === "attach" && id !== undefined ? await terminals.find(id) : null;
        if (terminal === null) throw new CodedError("terminal_gone");
        const after = query.get("after");
        if (after !== null && !/^\d{1,15}$/.test(after))
          throw new CodedError("bad_request", '"after" is not a byte offset');
        const viewing: Viewing = { terminal, after: after === null ? null : Number(after), viewer: null };
        if (!upgrade(viewing)) throw new CodedError("bad_request", "This address takes a WebSocket");
        return undefined;
      },
    },
  ];
}
