import type { KeyedQueue } from "@alcove/base/keyed-queue";
import type { BoxAddress, HostRequest, Rootfs } from "@alcove/contract/host";
import { newId, type WorkspaceId } from "@alcove/contract/ids";
import { logLine } from "../log.ts";
import { nobodysBox } from "./box-record.ts";
import type { Boxes } from "./boxes.ts";
import { createStock, type LastTaking } from "./stock.ts";

/** A spare's one start. */
const epoch = 1;
const answerMs = 10_000;

type Spare = { id: WorkspaceId; rootfs: Rootfs };

export interface Spares {
  /** A box that was made ahead, as the wish wants it, thawed and answering; null when there is none, or a cold start is as good. */
  claim(wish: HostRequest<"box.claim">): Promise<{ address: BoxAddress; rootfs: Rootfs } | null>;
  /** Keeps them ready until the signal aborts; those of an earlier host process are ended before, so that this version has made all that are given away. */
  keep(signal: AbortSignal): Promise<void>;
  /** Ends all that nobody has claimed. */
  clear(): Promise<void>;
}

/** Boxes made ahead, each for a workspace id that nobody has yet: whole, answering, and frozen. */
export function createSpares(options: {
  boxes: Boxes;
  queue: KeyedQueue;
  wanted: number;
  lastTaking: LastTaking;
  usualKind: () => Rootfs;
  hasRoom: () => Promise<boolean>;
  createVolume: (id: WorkspaceId) => Promise<void>;
  destroyVolume: (id: WorkspaceId) => Promise<void>;
}): Spares {
  const { boxes, queue, wanted, lastTaking, usualKind, hasRoom, createVolume, destroyVolume } = options;
  const end = (id: WorkspaceId): Promise<void> => queue.run(id, () => endUnclaimed(id, boxes, destroyVolume));

  const make = async (): Promise<Spare | null> => {
    const id = newId("workspace");
    const state = await queue.run(id, async () => {
      try {
        await boxes.create({ ...nobodysBox, workspace: id }, "spare");
        await createVolume(id);
        const address = await boxes.start(id, epoch);
        await warmUp(address);
        await boxes.freeze(id);
        return await boxes.inspect(id);
      } catch (error) {
        await endUnclaimed(id, boxes, destroyVolume);
        throw error;
      }
    });
    if (state.state === "running") return { id, rootfs: state.rootfs };
    await end(id);
    return null;
  };

  const stock = createStock({
    what: "a box",
    wanted,
    lastTaking,
    make,
    end: ({ id }) => end(id),
    isOutdated: (spare) => spare.rootfs !== usualKind(),
    hasRoom,
  });

  return {
    async keep(signal) {
      for (const id of await boxes.ids("spare")) await end(id);
      await stock.keep(signal);
    },
    async claim(wish) {
      for (let spare = stock.take(); spare !== undefined; spare = stock.take()) {
        const { id, rootfs } = spare;
        try {
          return await queue.run(id, async () => ({ address: await boxes.adoptSpare(id, wish), rootfs }));
        } catch (error) {
          logLine("warn", "a box that was made ahead could not be given away", { workspace: id, error });
          await end(id);
        }
      }
      return null;
    },
    clear: () => stock.clear(),
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
