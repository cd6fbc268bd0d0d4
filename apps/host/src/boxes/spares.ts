import type { KeyedQueue } from "@alcove/base/keyed-queue";
import type { BoxAddress, HostRequest, Rootfs } from "@alcove/contract/host";
import { newId, type WorkspaceId } from "@alcove/contract/ids";
import { setTimeout as sleep } from "node:timers/promises";
import { logLine } from "../log.ts";
import type { Boxes } from "./boxes.ts";

/** A spare's one start. */
const epoch = 1;
const lookEveryMs = 250;
/** After the last claim, before the next box is made: making one takes the processor from those who have just got theirs. */
const quietMs = 400;
const failurePauseMs = 30_000;
const answerMs = 10_000;

type Ready = { id: WorkspaceId; rootfs: Rootfs };

export interface Spares {
  /** A box that was made ahead, as the wish wants it, thawed and answering; null when there is none, or a cold start is as good. */
  claim(wish: HostRequest<"box.claim">): Promise<{ address: BoxAddress; rootfs: Rootfs } | null>;
  /** Ends all that nobody has claimed. */
  clear(): Promise<void>;
}

/**
 * Boxes made ahead, each for a workspace id that nobody has yet: whole, answering, and frozen. Those of an earlier host process are ended when this begins, so what
 * is here was made by this version. Made one after the other, and none while `hasRoom` says no.
 */
export function keepSpares(options: {
  boxes: Boxes;
  queue: KeyedQueue;
  wanted: number;
  rootfs: () => Rootfs;
  hasRoom: () => Promise<boolean>;
  createVolume: (id: WorkspaceId) => Promise<void>;
  destroyVolume: (id: WorkspaceId) => Promise<void>;
  signal: AbortSignal;
}): Spares & { kept: Promise<void> } {
  const { boxes, queue, wanted, rootfs, hasRoom, createVolume, destroyVolume, signal } = options;
  const ready: Ready[] = [];
  let claimedAt = 0;
  const isQuiet = (): boolean => ready.length === 0 || performance.now() - claimedAt > quietMs;

  const end = (id: WorkspaceId): Promise<void> => queue.run(id, () => endUnclaimed(id, boxes, destroyVolume));

  const make = async (): Promise<void> => {
    const id = newId("workspace");
    await queue.run(id, async () => {
      await boxes.create(
        {
          workspace: id,
          name: "workspace",
          runtime: "embedded",
          image: null,
          limits: {},
          network: { mode: "open", allow: [] },
          env: {},
        },
        "spare",
      );
      await createVolume(id);
      const address = await boxes.start(id, epoch);
      await warmUp(address);
      await boxes.freeze(id);
    });
    const state = await boxes.inspect(id);
    if (state.state === "running") ready.push({ id, rootfs: state.rootfs });
  };

  const keep = async (): Promise<void> => {
    for (const id of await boxes.ids("spare")) await end(id);
    while (!signal.aborted) {
      let pause = lookEveryMs;
      try {
        const outdated = ready.findIndex((spare) => spare.rootfs !== rootfs());
        const [old] = outdated < 0 ? [] : ready.splice(outdated, 1);
        if (old) await end(old.id);
        else if (ready.length < wanted && isQuiet() && (await hasRoom())) await make();
        else if (ready.length >= wanted) pause = lookEveryMs * 4;
      } catch (error) {
        logLine("warn", "a box could not be made ahead", { error });
        for (const id of await boxes.ids("spare")) if (!ready.some((spare) => spare.id === id)) await end(id);
        pause = failurePauseMs;
      }
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  };

  return {
    kept: keep(),
    async claim(wish) {
      claimedAt = performance.now();
      for (let spare = ready.shift(); spare !== undefined; spare = ready.shift()) {
        const { id } = spare;
        try {
          return await queue.run(id, async () => ({ address: await boxes.adoptSpare(id, wish), rootfs: spare.rootfs }));
        } catch (error) {
          logLine("warn", "a box that was made ahead could not be given away", { workspace: id, error });
          await end(id);
        }
      }
      return null;
    },
    async clear() {
      for (const { id } of ready.splice(0)) await end(id);
    },
  };
}

/** Ends a box that is nobody's. Its record goes last: a crash in between leaves something that is found again. */
async function endUnclaimed(
  id: WorkspaceId,
  boxes: Boxes,
  destroyVolume: (id: WorkspaceId) => Promise<void>,
): Promise<void> {
  await boxes.halt(id);
  await destroyVolume(id);
  await boxes.destroy(id);
}

/** Runs a command, so that the first one of whoever gets the box finds everything in memory; the kernel queues the request until the daemon listens. */
async function warmUp(address: BoxAddress): Promise<void> {
  const answer = await fetch("http://box/v1/exec", {
    unix: address.socket,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ command: ["true"] }),
    signal: AbortSignal.timeout(answerMs),
  });
  if (!answer.ok) throw new Error(`the daemon answered ${answer.status}`);
  await answer.arrayBuffer();
}
