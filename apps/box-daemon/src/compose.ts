import { accessSync, chmodSync, constants, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { BoxHealth } from "@alcove/contract/box/health";
import packageFile from "../package.json" with { type: "json" };
import { activityRoutes, createInFlight } from "./activity/activity.ts";
import { keepSchedule } from "./cron/schedule.ts";
import { execRoutes } from "./exec/routes.ts";
import { fileRoutes } from "./files/routes.ts";
import { createRouter, type Route } from "./http/router.ts";
import { listenFront } from "./link/front.ts";
import { listenGateway } from "./link/gateway.ts";
import { openTunnel } from "./link/tunnel.ts";
import { portRoutes } from "./ports/routes.ts";
import { runRoutes } from "./runs/routes.ts";
import { createRuns } from "./runs/runs.ts";
import { prepareFolders, readEnvironment, type Environment } from "./system/environment.ts";
import { log } from "./system/log.ts";
import { terminalRoutes, terminalSocket, type Viewing } from "./terminals/routes.ts";
import { createTerminals, findTmux } from "./terminals/terminals.ts";

/** Answers the link of one box: everything in it is made here, once, top to bottom. */
export async function serve(): Promise<void> {
  const environment = readEnvironment(process.env);
  prepareFolders(environment);
  const tmux = findTmux();
  const terminals = createTerminals({ environment, tmux });
  const runs = createRuns(environment);
  const inFlight = createInFlight();
  const schedule = keepSchedule(environment, inFlight);
  const gateway = await listenGateway(environment.gatewayPort);
  const handle = createRouter({
    epoch: environment.epoch,
    routes: [
      healthRoute(environment, tmux !== null),
      ...fileRoutes(environment.root),
      ...execRoutes(environment, inFlight),
      ...terminalRoutes(terminals, environment),
      ...portRoutes(environment.gatewayPort),
      ...runRoutes(runs),
      ...activityRoutes({ inFlight, terminals, schedule }),
    ],
  });
  const httpSocket = join(environment.runtime, "http.sock");
  removeSocket(httpSocket);
  Bun.serve<Viewing>({
    unix: httpSocket,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    ...withoutIdleTimeout,
    fetch: (request, server) => handle(request, (data) => server.upgrade(request, { data })),
    websocket: terminalSocket,
  });
  const { link } = environment;
  if ("path" in link) removeSocket(link.path);
  await listenFront({
    listen: link,
    httpSocket,
    verbs: {
      async tunnel(port) {
        const socket = await openTunnel(port);
        socket.once("close", inFlight.hold({ kind: "connection", what: `port ${port}` }));
        return socket;
      },
      stream: gateway.take,
      uplink: gateway.uplink,
    },
  });
  // Who may come as far as its folder may connect.
  if ("path" in link) chmodSync(link.path, 0o777);
  log("info", "The daemon serves", { workspace: environment.workspace, epoch: environment.epoch });
  await runs.settleAll();
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
