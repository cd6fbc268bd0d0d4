import { runOnOwnNode } from "../node24.mjs";

await runOnOwnNode(new URL("../../bench/main.ts", import.meta.url));
