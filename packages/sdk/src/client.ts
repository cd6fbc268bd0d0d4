import { agentSchema, providerSchema, type putProviderSchema } from "@alcove/contract/api/agent";
import {
  apiKeySchema,
  type createKeySchema,
  createdKeySchema,
  meSchema,
  signInLinkSchema,
  systemSchema,
  type updateMeSchema,
  welcomeSchema,
} from "@alcove/contract/api/account";
import { pageSchema } from "@alcove/contract/api/problem";
import type { z } from "zod";
import { createTransport } from "./request.ts";
import { createRunCalls, signalOf } from "./runs.ts";
import { createTemplateCalls } from "./templates.ts";
import { createWorkspaceCalls } from "./workspaces.ts";

interface Waiting {
  signal?: AbortSignal;
}

export interface ClientOptions {
  /** Address of the server without a path, as in `http://127.0.0.1:7700`; empty for the page's own. */
  baseUrl: string;
  /** An API key, or the secret of the server's own machine; the page signs in by cookie instead. */
  key?: string;
  fetch?: typeof globalThis.fetch;
}

export type Client = ReturnType<typeof createClient>;

/**
 * A typed client of the API for browsers, Node and Bun. Every answer is parsed by the contract's schemas; a refusal is thrown as a CodedError
 * with the server's code, detail and hint, and `server_unreachable` when there is no answer at all.
 */
export function createClient(options: ClientOptions) {
  const transport = createTransport(options);
  const { read, send } = transport;
  const providerOf = (name: string) => `/providers/${encodeURIComponent(name)}`;

  return {
    /** What anybody may know, before signing in. */
    welcome: (waiting: Waiting = {}) => read(welcomeSchema, "GET", "/welcome", signalOf(waiting)),
    system: (waiting: Waiting = {}) => read(systemSchema, "GET", "/system", signalOf(waiting)),
    /** An address that signs the owner in once; for the owner on the server's own machine. */
    createSignInLink: () => read(signInLinkSchema, "POST", "/sign-in-links"),
    me: {
      get: (waiting: Waiting = {}) => read(meSchema, "GET", "/me", signalOf(waiting)),
      update: (changes: z.input<typeof updateMeSchema>) => read(meSchema, "PATCH", "/me", { json: changes }),
    },
    keys: {
      list: (waiting: Waiting = {}) => read(pageSchema(apiKeySchema), "GET", "/keys", signalOf(waiting)),
      /** Creates an API key; its `key` is told this once. */
      create: (key: z.input<typeof createKeySchema>) => read(createdKeySchema, "POST", "/keys", { json: key }),
      revoke: (key: string) => send("DELETE", `/keys/${encodeURIComponent(key)}`).then(() => undefined),
    },
    agents: {
      list: (waiting: Waiting = {}) => read(pageSchema(agentSchema), "GET", "/agents", signalOf(waiting)),
      install: (agent: string) => read(agentSchema, "POST", `/agents/${encodeURIComponent(agent)}/install`),
    },
    providers: {
      list: (waiting: Waiting = {}) => read(pageSchema(providerSchema), "GET", "/providers", signalOf(waiting)),
      put: (name: string, provider: z.input<typeof putProviderSchema>) =>
        read(providerSchema, "PUT", providerOf(name), { json: provider }),
      check: (name: string) => read(providerSchema, "POST", `${providerOf(name)}/check`),
      delete: (name: string) => send("DELETE", providerOf(name)).then(() => undefined),
    },
    ...createWorkspaceCalls(transport),
    ...createTemplateCalls(transport),
    ...createRunCalls(transport),
  };
}
