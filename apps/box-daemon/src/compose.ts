import { accessSync, chmodSync, constants, existsSync, unlinkSync } from "node:fs";
import type { BoxHealth } from "@alcove/contract/box/health";
import packageFile from "../package.json" with { type: "json" };
import { createInFlight } from "./activity/activity.ts";
import { keepSchedule } from "./cron/schedule.ts";
import { execRoutes } from "./exec/routes.ts";
import { createRouter, type Feature, type Route, type Upgraded } from "./http/router.ts";
import { listenFront } from "./link/front.ts";
import { listenGateway } from "./link/gateway.ts";
import { prepareFolders, readEnvironment, type Environment } from "./system/environment.ts";
import { lazily } from "./system/lazily.ts";
import { describe, log } from "./system/log.ts";
import { findTmux } from "./terminals/find-tmux.ts";
import { prepareTmuxServer, terminalsFolder } from "./terminals/tmux-server.ts";

/** Answers the link of one box until the signal, when no new connection is taken: everything in it is made here, top to bottom. What an idle box does not need is loaded with its first use. */
export async function serve(signal: AbortSignal): Promise<void> {
  const environment = readEnvironment(process.env);
  prepareFolders(environment);
  const program = findTmux();
  const tmux = program && prepareTmuxServer(environment, program);
  tmux?.startAhead();
  const terminals = lazily(async () => (await import("./terminals/terminals.ts")).createTerminals(environment, tmux));
  const runs = lazily(async () => (await import("./runs/runs.ts")).createRuns(environment));
  const inFlight = createInFlight();
  const schedule = keepSchedule(environment, inFlight);
  const gateway = listenGateway(environment.gatewayPort);
  const handle = createRouter({
    epoch: environment.epoch,
    features: [
      feature(["/v1/health"], () => [healthRoute(environment, tmux !== null)]),
      feature(["/v1/exec"], () => execRoutes(environment, inFlight)),
      feature(["/v1/activity"], async () =>
        (await import("./activity/routes.ts")).activityRoutes({
          inFlight,
          schedule,
          written: () => terminals.made()?.written() ?? 0,
        }),
      ),
      feature(["/v1/files", "/v1/archive/"], async () =>
        (await import("./files/routes.ts")).fileRoutes(environment.root),
      ),
      feature(["/v1/terminals"], async () =>
        (await import("./terminals/routes.ts")).terminalRoutes(await terminals.get(), environment),
      ),
      feature(["/v1/ports", "/v1/watch"], async () =>
        (await import("./ports/routes.ts")).portRoutes(environment.gatewayPort),
      ),
      feature(["/v1/runs/"], async () => (await import("./runs/routes.ts")).runRoutes(await runs.get())),
    ],
  });
  const httpSocket = `${environment.runtime}/http.sock`;
  removeSocket(httpSocket);
  Bun.serve<Upgraded>({
    unix: httpSocket,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    ...withoutIdleTimeout,
    fetch: (request, server) => handle(request, (data) => server.upgrade(request, { data })),
    websocket: {
      perMessageDeflate: false,
      idleTimeout: 0,
      open: (socket) => socket.data.open(socket),
      message: (socket, message) => socket.data.message(message),
      drain: (socket) => socket.data.drain(),
      close: (socket) => socket.data.close(),
    },
  });
  const { link } = environment;
  if ("path" in link) removeSocket(link.path);
  const front = listenFront({
    listen: link,
    httpSocket,
    verbs: {
      async tunnel(port) {
        const connection = await (await import("./link/tunnel.ts")).openTunnel(port);
        connection.onClose(inFlight.hold({ kind: "connection", what: `port ${port}` }));
        return connection;
      },
      stream: gateway.take,
      uplink: gateway.uplink,
    },
  });
  signal.addEventListener("abort", () => front.stop());
  // Who may come as far as its folder may connect.
  if ("path" in link) chmodSync(link.path, 0o777);
  log("info", "The daemon serves", { workspace: environment.workspace, epoch: environment.epoch });
  // A daemon before this one may have left some.
  if (existsSync(terminalsFolder(environment))) await terminals.get().catch(report);
  if (existsSync(`${environment.state}/runs`)) await runs.get().then((all) => all.settleAll(), report);
}

function feature(prefixes: readonly string[], load: () => readonly Route[] | Promise<readonly Route[]>): Feature {
  return { prefixes, routes: lazily(async () => load()).get };
}

function report(error: unknown): void {
  log("error", "Cannot take up what a daemon before this one left", { error: describe(error) });
}

/** A command or an agent may be silent for an hour. The option works on Unix sockets too, though its types say otherwise. */
const withoutIdleTimeout: object = { idleTimeout: 0 };

function healthRoute(environment: Environment, tmux: boolean): Route {
  const startedAt = new Date().toISOString();
  return {
    method: "GET",
    path: "/v1/health",
    handle() {
      const health: BoxHealth = {
        workspace: environment.workspace,
        epoch: environment.epoch,
        version: packageFile.version,
        startedAt,
        diskWritable: isWritable(environment.state),
        tmux,
      };
      return Response.json(health);
    },
  };
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A socket file that a killed daemon left would keep the next one from listening. */
function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // There is none.
  }
}
