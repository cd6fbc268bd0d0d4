import { pageSchema } from "@alcove/contract/api/problem";
import { type createTemplateSchema, templateSchema, type uploadTemplateSchema } from "@alcove/contract/api/template";
import type { z } from "zod";
import type { Transport } from "./request.ts";
import { signalOf } from "./runs.ts";

interface Waiting {
  signal?: AbortSignal;
}

/** Templates of the API: the catalogue's and one's own. */
export function createTemplateCalls({ read, send }: Transport) {
  const of = (name: string) => `/templates/${encodeURIComponent(name)}`;
  return {
    templates: {
      list: (options: Waiting = {}) => read(pageSchema(templateSchema), "GET", "/templates", signalOf(options)),
      get: (name: string, options: Waiting = {}) => read(templateSchema, "GET", of(name), signalOf(options)),
      /** Adds one made of Debian packages. */
      add: (template: z.input<typeof createTemplateSchema>) =>
        read(templateSchema, "POST", "/templates", { json: template }),
      /** Adds one from a tar of a root file system or of an OCI image layout. */
      upload: (
        template: z.input<typeof uploadTemplateSchema>,
        archive: NonNullable<RequestInit["body"]>,
        options: Waiting = {},
      ) =>
        read(templateSchema, "POST", "/templates/upload", {
          query: { ...template },
          body: archive,
          headers: { "content-type": "application/x-tar" },
          ...signalOf(options),
        }),
      /** Begins to build a version, the usual one without it; ask `get` how far it is. */
      build: (name: string, options: { version?: string } = {}) =>
        read(templateSchema, "POST", `${of(name)}/build`, { json: options }),
      delete: (name: string) => send("DELETE", of(name)).then(() => undefined),
    },
  };
}
