import { z } from "@hono/zod-openapi";
import { listingSchema } from "@alcove/contract/api/workspace";
import { bytes, downloadQuery, gzip, type StreamRoute } from "../openapi.ts";

const flag = z.enum(["true", "false"]).optional();

/** What is passed on to `/v1/<area>/` of the daemon, for the whole workspace and for any path in it. */
const areas: readonly (Omit<StreamRoute, "path"> & { area: "files" | "archive" })[] = [
  {
    area: "files",
    method: "get",
    summary: "A file, or a part of it by `Range`; of a folder what is in it",
    query: downloadQuery,
    gives: {
      200: {
        description: "The file or the listing",
        content: { ...bytes, "application/json": { schema: listingSchema } },
      },
    },
  },
  {
    area: "files",
    method: "put",
    summary: "Write a file, or make a folder; `If-Match` and `If-None-Match` guard what is there",
    query: z.object({ folder: flag, parents: flag }),
    takes: bytes,
    gives: { 200: { description: "It was replaced" }, 201: { description: "It is new" } },
  },
  {
    area: "files",
    method: "delete",
    summary: "Delete a file, or with `recursive` a folder and all in it",
    query: z.object({ recursive: flag }),
    gives: { 204: { description: "It is gone" } },
  },
  {
    area: "archive",
    method: "get",
    summary: "A folder with all in it",
    gives: { 200: { description: "A gzipped tar", content: gzip } },
  },
];

export const fileStreams = areas.flatMap((route) => [
  { ...route, path: `/workspaces/{id}/${route.area}` },
  { ...route, path: `/workspaces/{id}/${route.area}/{path}` },
]);
