import type { Finding } from "@alcove/contract/api/account";
import type { RuntimeCapabilities, TemplateStatus } from "@alcove/contract/host";
import type { HostAbilities } from "../capabilities/abilities.ts";
import type { Cgroups } from "../cgroups/cgroups.ts";
import type { Site } from "../site.ts";
import type { Engine } from "./engine.ts";

type Seen = { site: Site; engine: Engine; abilities: HostAbilities; cgroups: Cgroups; template: TemplateStatus };

/** What the Docker runtime can do here, and the command that mends what it cannot. */
export async function dockerCapabilities({
  site,
  engine,
  abilities,
  cgroups,
  template,
}: Seen): Promise<RuntimeCapabilities> {
  const finding = await dockerFinding(site, engine);
  const usable = finding.level === "ok";
  return {
    usable,
    privileged: site.privileged,
    rootfs: usable ? (template.state === "ready" ? "template" : "host") : null,
    template,
    egress: abilities.egress,
    limits: cgroups.limits,
    freeze: cgroups.freeze,
    findings: [finding],
  };
}

async function dockerFinding(site: Site, engine: Engine): Promise<Finding> {
  const missing = { id: "docker", level: "missing" as const, title: "Docker runs workspaces too" };
  if (!site.privileged)
    return { ...missing, detail: "Boxes of Docker need a server that runs as root.", remedy: "sudo npm start" };
  const state = await engine.look();
  if (state.state !== "ready") return { ...missing, detail: state.detail, remedy: state.remedy };
  return { ...missing, level: "ok", detail: `Docker ${state.version} answers.`, remedy: null };
}
