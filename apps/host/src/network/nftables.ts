import { CodedError } from "@alcove/contract/errors";
import { dlopen } from "bun:ffi";
import { cString } from "../kernel/libc.ts";

/** libnftables(3), which nft(8) is made of. */
const load = () =>
  dlopen("libnftables.so.1", {
    nft_ctx_new: { args: ["u32"], returns: "ptr" },
    nft_ctx_free: { args: ["ptr"], returns: "void" },
    nft_ctx_buffer_error: { args: ["ptr"], returns: "i32" },
    nft_ctx_get_error_buffer: { args: ["ptr"], returns: "cstring" },
    nft_run_cmd_from_buffer: { args: ["ptr", "ptr"], returns: "i32" },
  }).symbols;
let loaded: ReturnType<typeof load> | undefined;

/** True when nftables is installed; looked for again until it is. */
export function hasNftables(): boolean {
  try {
    loaded ??= load();
    return true;
  } catch {
    return false;
  }
}

/**
 * Gives the network namespace of this thread rules of nft(8), all or none of them. A quarter of what the program nft would take: most of that is its start. Code:
 * `internal`, with nft's own words.
 */
export function setNetworkRules(rules: string): void {
  loaded ??= load();
  // It talks with the kernel by a socket that belongs to the namespace in which it is made.
  const context = loaded.nft_ctx_new(0);
  if (context === null) throw new CodedError("internal", "Cannot set network rules: nftables did not start");
  try {
    loaded.nft_ctx_buffer_error(context);
    if (loaded.nft_run_cmd_from_buffer(context, cString(rules)) === 0) return;
    const words = String(loaded.nft_ctx_get_error_buffer(context)).trim();
    throw new CodedError("internal", `Cannot set network rules: ${words.slice(0, 1_000)}`);
  } finally {
    loaded.nft_ctx_free(context);
  }
}
