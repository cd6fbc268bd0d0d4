import { networkSchema } from "@alcove/contract/api/network";
import { limitsSchema } from "@alcove/contract/api/workspace";
import { imageSchema, rootfsSchema, runtimeNameSchema, treeIdSchema } from "@alcove/contract/host";
import { idSchema, isId, type WorkspaceId } from "@alcove/contract/ids";
import { readdir, readFile, rm } from "node:fs/promises";
import { z } from "zod";
import { writeFileAtomically } from "../kernel/atomic-file.ts";
import { makeFolder } from "../kernel/folders.ts";
import { currentBoot, isAlive, type ProcessMark } from "../kernel/processes.ts";
import { logLine } from "../log.ts";
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

/** What a box is like that is made ahead, before anybody wishes for anything. */
export const nobodysBox = {
  name: "workspace",
  runtime: "embedded",
  image: null,
  limits: {},
  network: { mode: "open", allow: [] },
  env: {},
} satisfies Partial<BoxRecord>;

export type BoxRecords = Awaited<ReturnType<typeof openBoxRecords>>;

/** The records of all boxes. This process alone writes them, so that it reads each file once, at its start. */
export async function openBoxRecords(site: Site) {
  const known = new Map<WorkspaceId, BoxRecord>();
  /** The ids of all boxes that were created and not destroyed; one may have no record after a crash. */
  const ids = async (): Promise<WorkspaceId[]> => {
    const names = await readdir(`${site.data}/boxes`).catch(() => []);
    return names.flatMap((name) => (isId("workspace", name) ? [name] : []));
  };
  for (const id of await ids()) {
    const record = boxRecordSchema.safeParse(await readJson(boxPaths(site, id).record));
    if (record.success) known.set(id, record.data);
    else logLine("warn", "the record of a box cannot be read: the box ends, its files stay", { workspace: id });
  }
  return {
    ids,
    /** The record of a box; null when it was never created. */
    read: (id: WorkspaceId): BoxRecord | null => known.get(id) ?? null,
    all: (): BoxRecord[] => [...known.values()],
    /** Stores the record before anything is done that it tells of. */
    async write(record: BoxRecord, options: { survivesPowerCut?: boolean } = {}): Promise<void> {
      const paths = boxPaths(site, record.workspace);
      makeFolder(paths.folder, { mode: 0o700 });
      await writeFileAtomically(paths.record, `${JSON.stringify(record, undefined, 2)}\n`, options);
      known.set(record.workspace, record);
    },
    async remove(id: WorkspaceId): Promise<void> {
      await rm(boxPaths(site, id).folder, { recursive: true, force: true });
      known.delete(id);
    },
  };
}

/** True when the way out that was started for a box has ended; false also for a box that never had one. */
export async function hasLostWayOut(site: Site, id: WorkspaceId): Promise<boolean> {
  const noted = mark.safeParse(await readJson(boxPaths(site, id).networkMark));
  return noted.success && !isAlive(noted.data);
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
