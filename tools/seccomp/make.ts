import { writeFileSync } from "node:fs";
import { generatedSource } from "./generate.ts";

// Run after a change of the profile: `node tools/seccomp/make.ts`.
writeFileSync(new URL("../../apps/host/src/boxes/seccomp-program.generated.ts", import.meta.url), generatedSource());
