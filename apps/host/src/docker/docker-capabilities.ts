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
  const { usable, finding } = await lookAtDocker(site, engine);
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

async function lookAtDocker(site: Site, engine: Engine): Promise<{ usable: boolean; finding: Finding }> {
  const known = { id: "docker", title: "Docker runs workspaces too" };
  const state = await engine.look();
  switch (state.state) {
    case "off":
      return {
        usable: false,
        finding: { ...known, level: "ok", title: "Docker is not used", detail: state.detail, remedy: null },
      };
    case "missing":
      return { usable: false, finding: { ...known, level: "missing", detail: state.detail, remedy: state.remedy } };
    case "ready":
      if (!site.privileged) {
        const detail = "Workspaces on Docker need a server that runs as root.";
        return { usable: false, finding: { ...known, level: "missing", detail, remedy: "sudo npm start" } };
      }
      return {
        usable: true,
        finding: {
          ...known,
          level: "ok",
          detail: `Docker ${state.version} answers; root in its boxes is ${state.firstId === 0 ? "root here, without most rights" : `user ${state.firstId} here`}.`,
          remedy: null,
        },
      };
  }
}
