import { z } from "zod";
import { nameSchema } from "./workspace.ts";

export const templateStateSchema = z.enum(["ready", "building", "missing", "failed"]);
export type TemplateState = z.infer<typeof templateStateSchema>;

/** One build of a template: `node@22` is version `22` of `node`. */
export const templateVersionSchema = z.object({
  version: z.string(),
  /** `missing` is built when it is first used; a workspace made meanwhile waits for it. */
  state: templateStateSchema,
  /** How far it is, or why it failed. */
  detail: z.string(),
  /** How much of it is built, while it is; null where nobody can tell. */
  percent: z.number().nullable(),
  /** What is really in it, as in `{ "node": "24.21.0" }`; empty until it is built. */
  tools: z.record(z.string(), z.string()),
  sizeBytes: z.number().nullable(),
});
export type TemplateVersion = z.infer<typeof templateVersionSchema>;

/** Where a template comes from: the catalogue, a list of Debian packages, a root file system that somebody gave, or what Docker or Nix builds. */
export const templateSourceSchema = z.enum([
  "catalogue",
  "packages",
  "tar",
  "oci",
  "image",
  "dockerfile",
  "devcontainer",
  "nix",
]);
export type TemplateSource = z.infer<typeof templateSourceSchema>;

/** What a new workspace may begin with: a root file system with tools, by name. State and detail are those of the first version. */
export const templateSchema = z.object({
  name: z.string(),
  /** For people, as in `Node`. */
  title: z.string(),
  /** What is in it, in one sentence. */
  description: z.string(),
  version: z.string(),
  state: templateStateSchema,
  detail: z.string(),
  /** All versions, the usual one first. */
  versions: z.array(templateVersionSchema),
  source: templateSourceSchema,
  /** What starts the program that a workspace of it is usually for, as in `npm run dev`. */
  start: z.string().nullable(),
  /** Ports on which such a program listens. */
  ports: z.array(z.number().int()),
  /** The runtimes of this server that can run it. */
  runtimes: z.array(z.enum(["embedded", "docker"])),
  /** What a box of it goes without, as in `sudo`. */
  lacks: z.array(z.string()),
  /** How many of your workspaces have it. */
  workspaces: z.number().int(),
});
export type Template = z.infer<typeof templateSchema>;

const text = (most: number) => z.string().trim().max(most);
const port = z.number().int().min(1).max(65_535);

/** A package of Debian, as dpkg allows names (deb-src-control(5)); a hyphen at the end would have apt remove it. */
export const debianPackageSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]{0,78}[a-z0-9+]$/, "is not the name of a package");

const described = {
  name: nameSchema,
  title: text(60).optional(),
  description: text(200).optional(),
  start: text(1_000).optional(),
  ports: z.array(port).max(20).optional(),
};

const file = z.string().max(200_000);

/**
 * A Nix expression: `workspace.nix` is a derivation, a list of them, a shell as of `mkShell`, or a function of nothing that gives one; `flake.nix` has
 * `devShells.<system>.default` or `packages.<system>.default`.
 */
export const nixExpressionSchema = z.object({ file: z.enum(["workspace.nix", "flake.nix"]), text: file.min(1) });

/**
 * A template of one's own: of packages, of an image that the server's Docker has, of a Dockerfile alone, of a devcontainer.json with the Dockerfile it may name, or
 * of a Nix expression.
 */
export const createTemplateSchema = z
  .object({
    ...described,
    packages: z.array(debianPackageSchema).min(1).max(100).optional(),
    /** A version of the catalogue's `node`, beside packages. */
    node: z.string().max(10).optional(),
    image: z
      .string()
      .max(400)
      .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/, "is not the name of an image")
      .optional(),
    dockerfile: file.optional(),
    devcontainer: file.optional(),
    nix: nixExpressionSchema.optional(),
  })
  .refine(
    ({ packages, image, dockerfile, devcontainer, nix }) =>
      [packages, image, devcontainer ?? dockerfile, nix].filter((one) => one !== undefined).length === 1,
    "A template is made of packages, an image, a Dockerfile, a devcontainer.json or a Nix expression: name one of them",
  );
export type CreateTemplate = z.infer<typeof createTemplateSchema>;

const filePath = z
  .string()
  .max(400)
  .refine(
    (path) => path.split("/").every((part) => part !== "" && part !== "." && part !== ".."),
    "is not a plain path",
  );

/**
 * The query of an upload, whose body is a tar, plain, gzipped or by zstd: of a root file system, of an OCI image layout, or with `dockerfile` or `devcontainer` of the
 * folder in which that path is.
 */
export const uploadTemplateSchema = z.object({
  ...described,
  ports: z
    .string()
    .max(200)
    .transform((list) => list.split(",").map(Number))
    .pipe(z.array(port).max(20))
    .optional(),
  dockerfile: filePath.optional(),
  devcontainer: filePath.optional(),
});
export type UploadTemplate = z.infer<typeof uploadTemplateSchema>;

export const buildTemplateSchema = z.object({ version: z.string().max(20).optional() });
