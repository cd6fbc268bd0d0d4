import { writeSync } from "node:fs";
import http from "node:http";
import { toCodedError } from "@alcove/contract/errors";
import { composeControlPlane } from "./compose.ts";
import { readConfig } from "./config/config.ts";
import { createLog } from "./log/log.ts";

/** The control plane: says `{"ready":{…}}` or `{"failed":{…}}` on the descriptor ALCOVE_READY_FD, and ends on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  http.setGlobalProxyFromEnv(config.proxy);
  const log = createLog({ level: config.logLevel, name: "control-plane" });
  const say = (message: unknown) => {
    if (config.readyFd !== null) writeSync(config.readyFd, `${JSON.stringify(message)}\n`);
  };
  const ended = new Promise<string>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
  try {
    const plane = await composeControlPlane(config, log);
    plane.lost.addEventListener("abort", () => process.exit(75), { once: true });
    say({ ready: { address: plane.address, signInLink: plane.signInLink } });
    log.info({ address: plane.address }, "ready");
    log.info({ signal: await ended }, "stopping");
    setTimeout(() => process.exit(1), 15_000).unref();
    await plane[Symbol.asyncDispose]();
    process.exit(0);
  } catch (error) {
    const failure = toCodedError(error);
    log.fatal({ err: error }, failure.message);
    say({ failed: { code: failure.code, detail: failure.message, hint: failure.hint } });
    process.exit(1);
  }
}

await main();
