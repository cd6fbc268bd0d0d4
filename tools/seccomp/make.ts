import { writeFileSync } from "node:fs";
import { dockerSource } from "./docker-profile.ts";
import { generatedSource } from "./generate.ts";

// Run after a change of the profile: `node tools/seccomp/make.ts`.
writeFileSync(new URL("../../apps/host/src/boxes/seccomp-program.generated.ts", import.meta.url), generatedSource());
writeFileSync(new URL("../../apps/host/src/docker/seccomp-profile.generated.ts", import.meta.url), dockerSource());
