import { createHmac } from "node:crypto";
import { parseId, isId, type RunId } from "@alcove/contract/ids";
import { sameSecret } from "../secrets/seal.ts";

/**
 * The credential of one run for model calls: `alct_<run id without prefix>_<HMAC-SHA-256 of the run id, 128 bits as hex>`. Nothing is stored:
 * it is valid for as long as the run has not ended.
 */
export interface RunTokens {
  issue(run: RunId): string;
  /** The run that the token names, when the token is genuine. */
  verify(token: string): RunId | undefined;
}

export function createRunTokens(key: string): RunTokens {
  const issue = (run: RunId) => {
    const mac = createHmac("sha256", key).update(run).digest("hex").slice(0, 32);
    return `alct_${run.slice("run_".length)}_${mac}`;
  };
  return {
    issue,
    verify(token) {
      const match = /^alct_([0-9a-z]{20})_[0-9a-f]{32}$/.exec(token);
      const text = `run_${match?.[1] ?? ""}`;
      if (!isId("run", text)) return undefined;
      const run = parseId("run", text);
      return sameSecret(issue(run), token) ? run : undefined;
    },
  };
}
