import { z } from "zod";
import { findingSchema, hostLoadSchema } from "./api/account.ts";
import { networkSchema } from "./api/network.ts";
import { debianPackageSchema, nixExpressionSchema, templateStateSchema } from "./api/template.ts";
import { changeSchema, limitsSchema, nameSchema } from "./api/workspace.ts";
import { boxDiedSchema, limitReachedSchema, networkDeniedSchema } from "./api/workspace-event.ts";
import { isErrorCode } from "./errors.ts";
import { idSchema } from "./ids.ts";

/**
 * The protocol between the control plane and the host process: `POST /v1/<operation>` with a JSON body over a unix socket that only the
 * control plane's user and root may connect to. Answers 200 with the operation's answer, or 4xx/5xx with `hostFailureSchema`.
 * A request never carries a path of the host: only ids, whose form is checked here. Every operation may be repeated.
 */

const workspace = idSchema("workspace");
const snapshot = idSchema("snapshot");
const epoch = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const nothing = z.object({});
/** A path relative to /workspace, without `.`/`..` parts: it is opened without following any link. */
const volumePath = z
  .string()
  .min(1)
  .max(4096)
  .refine(
    (path) => !path.includes("\0") && path.split("/").every((part) => part !== "" && part !== "." && part !== ".."),
    "is not a plain relative path",
  );

/** What runs a box: `embedded` is crun, `docker` the machine's Docker. */
export const runtimeNameSchema = z.enum(["embedded", "docker"]);
export type RuntimeName = z.infer<typeof runtimeNameSchema>;

/** A reference to an image as Docker writes it: `debian:12`, `registry/name@sha256:…`, or the id that a build has given. */
export const imageSchema = z
  .string()
  .max(400)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/);

/** The content id of a root file system: never a path. */
export const treeIdSchema = z.string().regex(/^[0-9a-f]{16}$/, "is not the id of a root file system");

export const boxSpecSchema = z.object({
  workspace,
  name: nameSchema,
  runtime: runtimeNameSchema.default("embedded"),
  /** For the Docker runtime: what the root file system is made of; null takes the one that embedded boxes have. */
  image: imageSchema.nullable().default(null),
  limits: limitsSchema.default({}),
  network: networkSchema.default({ mode: "open", allow: [] }),
  /** What its root lies over; the host process's own choice without it. */
  template: treeIdSchema.optional(),
  /** Given to the box's first process, beside ALCOVE_WORKSPACE, ALCOVE_WORKSPACE_NAME and ALCOVE_EPOCH. */
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
      z
        .string()
        .max(131_072)
        .refine((value) => !value.includes("\0"), "holds a NUL"),
    )
    .default({}),
});
export type BoxSpec = z.input<typeof boxSpecSchema>;

/** Where a box's daemon listens; a plain value that may be stored. */
export const boxAddressSchema = z.object({
  workspace,
  epoch,
  socket: z.string(),
  /** Written to this file, the words give a frozen box its processor back as `box.thaw` does; null where the host has no such file. */
  thaw: z.object({ file: z.string(), words: z.string() }).nullable(),
});
export type BoxAddress = z.infer<typeof boxAddressSchema>;

export const rootfsSchema = z.enum(["template", "host", "image"]);
export type Rootfs = z.infer<typeof rootfsSchema>;

export const startedBoxSchema = boxAddressSchema.extend({ rootfs: rootfsSchema });
export type StartedBox = z.infer<typeof startedBoxSchema>;

export const boxUsageSchema = z.object({
  memoryBytes: z.number().nullable(),
  /** CPU time since the box started, in microseconds. */
  cpuMicros: z.number().nullable(),
  processes: z.number().nullable(),
  /** Bytes since the box started. */
  networkInBytes: z.number().nullable(),
  networkOutBytes: z.number().nullable(),
});
export type BoxUsage = z.infer<typeof boxUsageSchema>;

export const boxHappeningBodySchema = z.discriminatedUnion("kind", [
  limitReachedSchema,
  networkDeniedSchema,
  boxDiedSchema.omit({ data: true }).extend({ data: z.object({ code: z.string() }) }),
]);
export type BoxHappeningBody = z.infer<typeof boxHappeningBodySchema>;
/** A line of `box.happenings`: what a host process saw happen to a box. Cursors grow, also from one host process to the next. */
export const boxHappeningSchema = z.intersection(
  z.object({ cursor: z.number().int(), workspace, epoch, at: z.string() }),
  boxHappeningBodySchema,
);
export type BoxHappening = z.infer<typeof boxHappeningSchema>;

export const boxStateSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("absent") }),
  z.object({
    state: z.literal("stopped"),
    /** It ended by itself just now; `box.happenings` tells so within a second. */
    died: z.literal(true).optional(),
  }),
  z.object({
    state: z.literal("running"),
    epoch,
    rootfs: rootfsSchema,
    frozen: z.boolean(),
    address: boxAddressSchema,
    usage: boxUsageSchema.nullable(),
  }),
]);
export type BoxState = z.infer<typeof boxStateSchema>;

export const listedBoxSchema = z.object({
  id: workspace,
  state: boxStateSchema,
  /** For a box that was claimed and not kept yet: how long ago, in milliseconds. */
  claimedForMs: z.number().nullable(),
});
export type ListedBox = z.infer<typeof listedBoxSchema>;

export const templateStatusSchema = z.object({ state: templateStateSchema, detail: z.string() });
export type TemplateStatus = z.infer<typeof templateStatusSchema>;

const exactVersion = z.string().regex(/^[0-9]+\.[0-9]+\.[0-9]+$/);
/** What is installed over the usual root file system. */
export const treeRecipeSchema = z.object({
  packages: z.array(debianPackageSchema).max(100),
  /** Versions of Node and npm, of the npm registry; none without them. */
  node: z.object({ version: exactVersion, npm: exactVersion }).nullable(),
  /** npm packages of the catalogue, for all users of the box. */
  npm: z.array(z.object({ name: z.string().regex(/^[a-z0-9@][a-z0-9@/._-]{0,100}$/), version: exactVersion })).max(20),
  /** Built by the host's Nix and put into /nix; its programs are in /nix/profile/bin. */
  nix: nixExpressionSchema.optional(),
});
export type TreeRecipe = z.infer<typeof treeRecipeSchema>;

export const treeStatusSchema = templateStatusSchema.extend({
  tree: treeIdSchema,
  /** How much of it is built, while it is. */
  percent: z.number().nullable(),
  /** Versions of what is in it, by the recipe's names; empty until it is built. */
  tools: z.record(z.string(), z.string()),
  sizeBytes: z.number().nullable(),
});
export type TreeStatus = z.infer<typeof treeStatusSchema>;

/** What an unpacked root file system says of itself. */
export const unpackedTreeSchema = z.object({
  tree: treeIdSchema,
  kind: z.enum(["tar", "oci"]),
  sizeBytes: z.number(),
  env: z.record(z.string(), z.string()),
  start: z.string().nullable(),
  ports: z.array(z.number().int()),
  /** What a box over it goes without, as in `sudo`. */
  lacks: z.array(z.string()),
});
export type UnpackedTree = z.infer<typeof unpackedTreeSchema>;

export const runtimeCapabilitiesSchema = z.object({
  /** False when no box can run here; `findings` says why. */
  usable: z.boolean(),
  privileged: z.boolean(),
  rootfs: rootfsSchema.nullable(),
  template: templateStatusSchema,
  egress: z.boolean(),
  limits: z.boolean(),
  freeze: z.boolean(),
  findings: z.array(findingSchema),
});
export type RuntimeCapabilities = z.infer<typeof runtimeCapabilitiesSchema>;

export const volumeCapabilitiesSchema = z.object({
  kind: z.enum(["btrfs", "plain"]),
  /** True when a snapshot needs neither a pause of the box nor time that grows with its files. */
  instantSnapshots: z.boolean(),
  diskLimits: z.boolean(),
  findings: z.array(findingSchema),
});
export type VolumeCapabilities = z.infer<typeof volumeCapabilitiesSchema>;

/** What `image.build` makes: an image of this name, which holds what the context's hash stands for; the same again is the same image. */
export const imageBuildSchema = z.object({
  /** Part of the image's tag. */
  name: z
    .string()
    .max(80)
    .regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/),
  /** SHA-256 of the build context, in hexadecimal. */
  context: z.string().regex(/^[0-9a-f]{64}$/),
  /** Path of the Dockerfile in the context. */
  dockerfile: volumePath.default("Dockerfile"),
  buildArgs: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(4_096)).default({}),
});

/** A line of `image.build`'s answer; `done` or `failed` is the last. */
export const imageBuildLineSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("progress"), text: z.string() }),
  z.object({ kind: z.literal("done"), image: imageSchema }),
  z.object({ kind: z.literal("failed"), code: z.string().refine(isErrorCode), detail: z.string(), hint: z.string() }),
]);
export type ImageBuildLine = z.infer<typeof imageBuildLineSchema>;

/** The header that holds the input of an operation whose body is raw bytes, as JSON. */
export const inputHeader = "alcove-input";

/**
 * `volume.read` and `volume.export` answer with raw bytes instead of JSON, `box.happenings` with a line of JSON for each, and an empty line now and then.
 * `image.build` takes a tar of the build context as its body, plain or gzipped, and answers with lines of `imageBuildLineSchema`; it ends when its caller goes.
 * `template.unpack` takes a tar of a root file system or of an OCI image layout, and answers with `unpackedTreeSchema`.
 */
const operations = {
  "runtime.capabilities": {
    input: z.object({ runtime: runtimeNameSchema.default("embedded") }),
    output: runtimeCapabilitiesSchema,
  },
  "box.create": { input: boxSpecSchema, output: nothing },
  /** A box that was made ahead, at epoch 1 and answering; null when there is none. Until `box.keep`, `box.list` says that it is only claimed. */
  "box.claim": {
    input: boxSpecSchema.pick({ name: true, limits: true, network: true }),
    output: z.object({ claimed: z.object({ address: boxAddressSchema, rootfs: rootfsSchema }).nullable() }),
  },
  /** Says that the workspace of a claimed box is stored; nothing happens when there is no such box. */
  "box.keep": { input: z.object({ workspace }), output: nothing },
  /** Name, limits and network of a box, at once if it runs; `not_found` when it was never created. */
  "box.update": { input: boxSpecSchema.omit({ env: true, runtime: true, image: true }), output: nothing },
  "box.start": { input: z.object({ workspace, epoch }), output: startedBoxSchema },
  "box.stop": { input: z.object({ workspace, epoch }), output: nothing },
  "box.freeze": { input: z.object({ workspace }), output: nothing },
  "box.thaw": { input: z.object({ workspace }), output: nothing },
  "box.destroy": { input: z.object({ workspace }), output: nothing },
  "box.inspect": { input: z.object({ workspace }), output: boxStateSchema },
  "box.list": { input: nothing, output: z.array(listedBoxSchema) },
  "box.log": {
    input: z.object({
      workspace,
      maxBytes: z
        .number()
        .int()
        .min(1)
        .max(4 * 2 ** 20)
        .default(65_536),
    }),
    output: z.object({ text: z.string() }),
  },
  "box.happenings": { input: z.object({ after: z.number().int().min(0) }), output: z.never() },
  "volume.capabilities": { input: nothing, output: volumeCapabilitiesSchema },
  "volume.create": { input: z.object({ workspace }), output: nothing },
  "volume.destroy": { input: z.object({ workspace }), output: nothing },
  "volume.snapshot": { input: z.object({ workspace, snapshot }), output: nothing },
  "volume.deleteSnapshot": { input: z.object({ workspace, snapshot }), output: nothing },
  "volume.fork": { input: z.object({ workspace, snapshot, target: workspace }), output: nothing },
  "volume.restore": { input: z.object({ workspace, snapshot }), output: nothing },
  /** `from` may be a snapshot of another workspace. */
  "volume.changes": {
    input: z.object({ workspace, from: snapshot, fromWorkspace: workspace.optional(), to: snapshot.nullable() }),
    output: z.array(changeSchema),
  },
  "volume.revert": {
    input: z.object({ workspace, from: snapshot, to: snapshot }),
    output: z.object({ reverted: z.array(z.string()), kept: z.array(z.string()) }),
  },
  "volume.read": { input: z.object({ workspace, snapshot, path: volumePath }), output: z.never() },
  "volume.export": { input: z.object({ workspace, snapshot }), output: z.never() },
  "volume.usage": { input: z.object({ workspace }), output: z.object({ bytes: z.number() }) },
  "image.build": { input: imageBuildSchema, output: z.never() },
  "host.load": { input: nothing, output: hostLoadSchema },
  "template.status": { input: nothing, output: templateStatusSchema },
  /** Begins to build a root file system unless it is there or being built; `template_unavailable` where none can be built. */
  "template.build": { input: z.object({ tree: treeIdSchema, recipe: treeRecipeSchema }), output: treeStatusSchema },
  "template.trees": {
    /** `nix` has those of them that need the host's Nix. */
    input: z.object({ trees: z.array(treeIdSchema).max(1_000), nix: z.array(treeIdSchema).max(1_000).optional() }),
    output: z.array(treeStatusSchema),
  },
  /** What of this host stands in the way of Nix expressions; null when they can be built. */
  "template.nix": { input: z.object({}), output: z.object({ finding: findingSchema.nullable() }) },
  "template.unpack": { input: z.object({ largestBytes: z.number().int().min(1) }), output: z.never() },
  /** Removes all others that no workspace and no snapshot lies over; younger ones may be on their way into the list. */
  "template.keep": {
    input: z.object({ trees: z.array(treeIdSchema).max(10_000), olderThanMs: z.number().int().min(0) }),
    output: nothing,
  },
  shutdown: { input: z.object({ stopBoxes: z.boolean() }), output: nothing },
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>;

export type HostOperation = keyof typeof operations;
export type HostInput<O extends HostOperation> = z.input<(typeof operations)[O]["input"]>;
export type HostRequest<O extends HostOperation> = z.output<(typeof operations)[O]["input"]>;
export type HostAnswer<O extends HostOperation> = z.output<(typeof operations)[O]["output"]>;

/** All operations of the host process with their schemas; there are no others. */
export const hostOperations: {
  [O in HostOperation]: { input: z.ZodType<HostRequest<O>>; output: z.ZodType<HostAnswer<O>> };
} = operations;

export function isHostOperation(text: string): text is HostOperation {
  return Object.hasOwn(hostOperations, text);
}

export const hostFailureSchema = z.object({
  code: z.string().refine(isErrorCode, "is not an error code"),
  detail: z.string(),
  hint: z.string(),
});
