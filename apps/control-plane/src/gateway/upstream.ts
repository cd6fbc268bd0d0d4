import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { CodedError } from "@alcove/contract/errors";

export interface UpstreamCall {
  readonly target: URL;
  readonly method: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer | undefined;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export interface Upstream {
  /** The head of the answer; its body streams. Errors: `model_unreachable`. */
  call(call: UpstreamCall): Promise<IncomingMessage>;
  close(): void;
}

/** Calls to model providers, through the proxy if there is one, over connections that are kept open between calls. */
export function createUpstream(proxyEnv: http.ProxyEnv = {}): Upstream {
  const options = { keepAlive: true, proxyEnv };
  const agents = { http: new http.Agent(options), https: new https.Agent(options) };

  const once = ({ target, method, headers, body, signal }: UpstreamCall): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const secure = target.protocol === "https:";
      const request = (secure ? https : http).request(target, {
        method,
        headers,
        signal,
        agent: secure ? agents.https : agents.http,
      });
      request.on("response", resolve);
      request.on("error", (error) => reject(Object.assign(error, { reused: request.reusedSocket })));
      request.end(body);
    });

  return {
    async call(call) {
      for (;;) {
        try {
          return await once(call);
        } catch (error) {
          call.signal.throwIfAborted();
          // A provider may close a kept connection at the moment it is used again: then it has not seen the call.
          if (error instanceof Error && "reused" in error && error.reused === true) continue;
          const reason = error instanceof Error && error.message !== "" ? error.message : "the line broke";
          throw new CodedError("model_unreachable", `${call.target.host} does not answer: ${reason}.`, {
            cause: error,
          });
        }
      }
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}
