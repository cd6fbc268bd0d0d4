import { runOnOwnNode } from "../node24.mjs";

await runOnOwnNode(new URL("./main.ts", import.meta.url));
