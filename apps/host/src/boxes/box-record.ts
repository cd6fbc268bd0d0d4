import { networkSchema } from "@alcove/contract/api/network";
import { limitsSchema } from "@alcove/contract/api/workspace";
import { imageSchema, rootfsSchema, runtimeNameSchema, treeIdSchema } from "@alcove/contract/host";
import { idSchema, isId, type WorkspaceId } from "@alcove/contract/ids";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { z } from "zod";
import { writeFileAtomically } from "../kernel/atomic-file.ts";
import { currentBoot, type ProcessMark } from "../kernel/processes.ts";
import { boxPaths, type Site } from "../site.ts";

const mark = z.object({ pid: z.number().int(), startTicks: z.string(), boot: z.string() });

/** What a box runs outside of its record, for the case that a crash comes between the start of a process and the record of it. */
const crunStatusSchema = z.object({ pid: z.number().int(), "process-start-time": z.number().int() });

/**
 * What is known of a box: one file, replaced as a whole. A crash at any moment leaves either the old or the new one; whether `running` is still true is
 * asked of the kernel each time.
 */
const boxRecordSchema = z.object({
  workspace: idSchema("workspace"),
  name: z.string(),
  runtime: runtimeNameSchema.default("embedded"),
  image: imageSchema.nullable().default(null),
  limits: limitsSchema,
  network: networkSchema.default({ mode: "open", allow: [] }),
  env: z.record(z.string(), z.string()),
  template: treeIdSchema.optional(),
  /** First of the box's ids on this machine; its own as long as the workspace is there. */
  firstId: z.number().int(),
  /** The highest epoch that was started; 0 before the first. */
  epoch: z.number().int(),
  /** `spare`: made ahead, nobody's yet; `claimed`: given away, but nobody has come back to say that the workspace was stored. */
  spare: z.enum(["spare", "claimed"]).optional(),
  claimedAt: z.number().optional(),
  /** The highest epoch that was stopped on purpose: it never starts again. */
  stoppedEpoch: z.number().int(),
  running: z.object({ init: mark, rootfs: rootfsSchema }).nullable(),
});
export type BoxRecord = z.infer<typeof boxRecordSchema>;

/** The record of a box; null when it was never created. */
export async function readBoxRecord(site: Site, id: WorkspaceId): Promise<BoxRecord | null> {
  const text = await readFile(boxPaths(site, id).record, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  return text === null ? null : boxRecordSchema.parse(JSON.parse(text));
}

/** Stores the record before anything is done that it tells of. */
export async function writeBoxRecord(
  site: Site,
  record: BoxRecord,
  options: { survivesPowerCut?: boolean } = {},
): Promise<void> {
  const paths = boxPaths(site, record.workspace);
  await mkdir(paths.folder, { recursive: true, mode: 0o700 });
  await writeFileAtomically(paths.record, `${JSON.stringify(record, undefined, 2)}\n`, options);
}

export async function deleteBoxRecord(site: Site, id: WorkspaceId): Promise<void> {
  await rm(boxPaths(site, id).folder, { recursive: true, force: true });
}

/** The ids of all boxes that were created and not destroyed. */
export async function listBoxRecords(site: Site): Promise<WorkspaceId[]> {
  const names = await readdir(`${site.data}/boxes`).catch(() => []);
  return names.flatMap((name) => (isId("workspace", name) ? [name] : []));
}

/** The processes that were started for a box and its way out, as crun and the network's start noted them; they may have ended long ago. */
export async function readStartedProcesses(site: Site, id: WorkspaceId): Promise<ProcessMark[]> {
  const paths = boxPaths(site, id);
  const network = mark.safeParse(await readJson(paths.networkMark));
  const init = crunStatusSchema.safeParse(await readJson(`${paths.runtimeState}/${id}/status`));
  return [
    ...(network.success ? [network.data] : []),
    ...(init.success
      ? [{ pid: init.data.pid, startTicks: String(init.data["process-start-time"]), boot: currentBoot() }]
      : []),
  ];
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    // A crash may have left an empty file: then nothing was started.
    if (error instanceof SyntaxError || (error instanceof Error && "code" in error && error.code === "ENOENT"))
      return undefined;
    throw error;
  }
}
