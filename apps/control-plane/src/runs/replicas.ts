import { randomInt } from "node:crypto";
import pg from "pg";
import { pause, replicasTopic, type Wake } from "../events/wake.ts";
import type { Log } from "../log/log.ts";

/**
 * This replica's life: a row and an advisory lock that PostgreSQL lets go the moment the connection dies. Whoever gets another replica's lock
 * knows that it is dead and takes its runs over.
 */
export interface Replica extends AsyncDisposable {
  readonly id: string;
  /** Aborts when the lock was lost to another replica: this one must stop working. */
  readonly lost: AbortSignal;
  /** True for one of the replicas that live: the oldest. */
  leads(): Promise<boolean>;
  /** True when there certainly is no other one. */
  alone(): boolean;
  /** Calls `takeOver` once for each replica that is found dead, until it succeeds; keeps looking until disposed. */
  watchOthers(takeOver: (replica: string) => Promise<void>): void;
}

const lookEveryMs = 1_000;

export async function joinReplicas({
  databaseUrl,
  pool,
  wake,
  log,
}: {
  databaseUrl: string;
  pool: pg.Pool;
  wake: Wake;
  log: Log;
}): Promise<Replica> {
  const lockKey = randomInt(2 ** 40, 2 ** 47);
  const id = `replica_${lockKey.toString(36)}`;
  const ended = new AbortController();
  const lost = new AbortController();
  let holder = await hold(databaseUrl, lockKey);
  if (!holder) throw new Error("a lock of a fresh replica was taken");
  await pool.query("insert into replicas (id, lock_key) values ($1, $2)", [id, lockKey]);
  wake.notify(replicasTopic);

  let others: number | undefined;
  const keepCounting = async () => {
    for await (const _ of wake.watch(replicasTopic, ended.signal)) {
      others = undefined;
      others = await pool
        .query<{ others: number }>("select count(*)::int as others from replicas where id <> $1", [id])
        .then(
          ({ rows }) => rows[0]?.others,
          () => undefined,
        );
    }
  };
  const counting = keepCounting();

  const keepHolding = async () => {
    while (!ended.signal.aborted) {
      const current = holder;
      if (current) await current.closed;
      if (ended.signal.aborted) return;
      try {
        const again = await hold(databaseUrl, lockKey);
        const still = again && (await again.client.query("select 1 from replicas where id = $1", [id])).rowCount === 1;
        if (!still) {
          log.error({ replica: id }, "another server took this one's work over");
          lost.abort();
          return;
        }
        holder = again;
      } catch (error) {
        log.warn({ err: error }, "the database does not answer; trying again");
        await pause(200, ended.signal);
      }
    }
  };
  const holding = keepHolding();

  const lookOnce = async (takeOver: (replica: string) => Promise<void>) => {
    const others = await pool.query<{ id: string; lock_key: string }>(
      "select id, lock_key from replicas where id <> $1",
      [id],
    );
    for (const other of others.rows) {
      const key = Number(other.lock_key);
      const client = await pool.connect();
      try {
        const got = await client.query<{ got: boolean }>("select pg_try_advisory_lock($1) as got", [key]);
        if (!got.rows[0]?.got) continue;
        try {
          log.info({ dead: other.id }, "taking over the work of a server that is gone");
          await takeOver(other.id);
          await client.query("delete from replicas where id = $1", [other.id]);
          wake.notify(replicasTopic);
        } finally {
          await client.query("select pg_advisory_unlock($1)", [key]);
        }
      } finally {
        client.release();
      }
    }
  };

  let watching = Promise.resolve();
  return {
    id,
    lost: lost.signal,
    alone: () => others === 0 && wake.listens() && !lost.signal.aborted && !ended.signal.aborted,
    async leads() {
      const oldest = await pool.query<{ id: string }>("select id from replicas order by started_at, id limit 1");
      return oldest.rows[0]?.id === id;
    },
    watchOthers(takeOver) {
      watching = (async () => {
        while (!ended.signal.aborted && !lost.signal.aborted) {
          await lookOnce(takeOver).catch((error: unknown) =>
            log.warn({ err: error }, "could not look after other servers"),
          );
          await pause(lookEveryMs, ended.signal);
        }
      })();
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      await Promise.all([watching, counting]);
      // The row stays: whoever comes next finds the lock free and takes over what is unfinished.
      await holder?.client.end();
      await holding;
    },
  };
}

async function hold(
  databaseUrl: string,
  lockKey: number,
): Promise<{ client: pg.Client; closed: Promise<void> } | undefined> {
  const client = new pg.Client({ connectionString: databaseUrl, keepAlive: true });
  const closed = new Promise<void>((resolve) => {
    client.once("end", resolve);
    client.on("error", () => resolve());
  });
  await client.connect();
  const got = await client.query<{ got: boolean }>("select pg_try_advisory_lock($1) as got", [lockKey]);
  if (got.rows[0]?.got) return { client, closed };
  await client.end();
  return undefined;
}
