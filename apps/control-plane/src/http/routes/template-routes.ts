import { createRoute, z } from "@hono/zod-openapi";
import { pageSchema } from "@alcove/contract/api/problem";
import {
  buildTemplateSchema,
  createTemplateSchema,
  templateSchema,
  uploadTemplateSchema,
} from "@alcove/contract/api/template";
import type { Templates } from "../../templates/templates.ts";
import { bodyOf, queryOf, type ApiApp } from "../api-app.ts";
import { addStreamRoute, answers, bytes, json, jsonBody } from "../openapi.ts";

interface Parts {
  readonly templates: Templates;
  readonly stopping: AbortSignal;
}

const nameParam = z.object({ name: z.string().max(80) });

/** The catalogue and one's own templates. */
export function addTemplateRoutes(app: ApiApp, { templates, stopping }: Parts): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/templates",
      summary: "List templates: the catalogue's, then your own",
      responses: { 200: json("Templates", pageSchema(templateSchema)), ...answers },
    }),
    async (context) => {
      const items = await templates.list(context.get("user"), context.req.raw.signal);
      return context.json({ items, next: null }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/templates/{name}",
      summary: "One template, by name",
      request: { params: nameParam },
      responses: { 200: json("The template", templateSchema), ...answers },
    }),
    async (context) => {
      const { name } = context.req.valid("param");
      return context.json(await templates.get(context.get("user"), name, context.req.raw.signal), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/templates",
      summary:
        "Add a template of packages, an image, a Dockerfile or a Nix expression; it is built when it is first used",
      request: { body: jsonBody(createTemplateSchema) },
      responses: { 201: json("The template", templateSchema), ...answers },
    }),
    async (context) => {
      const wish = context.req.valid("json");
      await templates.add(context.get("user"), wish);
      return context.json(await templates.get(context.get("user"), wish.name, context.req.raw.signal), 201);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/templates/{name}/build",
      summary: "Begin to build a template, also one that failed; nothing happens when it is there",
      request: { params: nameParam, body: jsonBody(buildTemplateSchema) },
      responses: { 202: json("The template, being built", templateSchema), ...answers },
    }),
    async (context) => {
      const owner = context.get("user");
      const { name } = context.req.valid("param");
      const { version } = context.req.valid("json");
      const root = await templates.resolve(owner, version === undefined ? name : `${name}@${version}`);
      await templates.build(root, stopping);
      return context.json(await templates.get(owner, name, context.req.raw.signal), 202);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/templates/{name}",
      summary: "Delete a template of your own that no workspace has",
      request: { params: nameParam },
      responses: { 204: { description: "It is gone" }, ...answers },
    }),
    async (context) => {
      await templates.remove(context.get("user"), context.req.valid("param").name);
      return context.body(null, 204);
    },
  );

  addStreamRoute(
    app,
    {
      method: "post",
      path: "/templates/upload",
      summary:
        "Add a template of a root file system (tar, OCI image layout), or of a folder with a Dockerfile or devcontainer.json",
      query: uploadTemplateSchema,
      takes: bytes,
      gives: { 201: json("The template", templateSchema) },
    },
    async (context) => {
      const wish = queryOf(context, uploadTemplateSchema);
      const archive = bodyOf(context, "root file system");
      const signal = AbortSignal.any([context.req.raw.signal, stopping]);
      await templates.upload(context.get("user"), wish, archive, signal);
      return context.json(await templates.get(context.get("user"), wish.name, signal), 201);
    },
  );
}
