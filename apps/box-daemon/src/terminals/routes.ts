import { CodedError } from "@alcove/contract/errors";
import { workingDirectory } from "../files/working-directory.ts";
import { readFields } from "../http/body.ts";
import type { Route, Upgraded } from "../http/router.ts";
import type { Environment } from "../system/environment.ts";
import { parseNewTerminal } from "./new-terminal.ts";
import type { LiveTerminal, Terminals } from "./terminal.ts";
import { createViewer, type Viewer } from "./viewer.ts";

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
        if (!upgrade(view(terminal, after === null ? null : Number(after))))
          throw new CodedError("bad_request", "This address takes a WebSocket");
        return undefined;
      },
    },
  ];
}

/** Shows the terminal on a WebSocket. */
function view(terminal: LiveTerminal, after: number | null): Upgraded {
  let viewer: Viewer | null = null;
  return {
    open(socket) {
      viewer = createViewer(terminal, after, {
        send: (bytes) => void socket.send(bytes),
        waiting: () => socket.getBufferedAmount(),
        close: () => socket.close(),
      });
    },
    message(message) {
      if (typeof message !== "string") viewer?.received(message);
    },
    drain: () => viewer?.drained(),
    close: () => viewer?.close(),
  };
}
