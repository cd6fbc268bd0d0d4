import { DBOS, DBOSClient } from "@dbos-inc/dbos-sdk";
import type pg from "pg";
import type { Log } from "../log/log.ts";

export interface RunQueue extends AsyncDisposable {
  /** Puts the run into the queue as part of the caller's transaction; runs of one session come one after the other. */
  enqueue(client: pg.ClientBase, run: string, session: string): Promise<void>;
  /** Gives the unfinished runs of a dead replica back to the queue. */
  takeOver(replica: string): Promise<void>;
}

const queueName = "runs";
const workflowName = "run";
/** A poll costs about 2 ms of processor time: often enough that nobody waits, seldom enough that an idle server rests. */
const pollMs = 100;
const applicationName = "alcove";
/** Pinned: a run that an older version began is finished by a newer one. */
const applicationVersion = "1";

/**
 * Durable execution on DBOS: a run that was taken is executed until its workflow returns, whoever dies. `execute` is called again after a
 * crash and must find out by itself how far it came.
 */
export async function openRunQueue(parts: {
  databaseUrl: string;
  replica: string;
  log: Log;
  execute: (run: string) => Promise<void>;
}): Promise<RunQueue> {
  const { databaseUrl, replica, execute } = parts;
  const log = parts.log.child({ part: "dbos" });
  const logger = {
    info: (entry: unknown) => log.debug(String(entry)),
    debug: (entry: unknown) => log.trace(String(entry)),
    warn: (entry: unknown) => log.warn(String(entry)),
    error: (entry: unknown) => log.error(String(entry)),
  };
  DBOS.setConfig({
    name: applicationName,
    systemDatabaseUrl: databaseUrl,
    systemDatabasePoolSize: 8,
    applicationVersion,
    executorID: replica,
    runAdminServer: false,
    useListenNotify: true,
    logger,
  });
  DBOS.registerWorkflow(execute, { name: workflowName, maxRecoveryAttempts: 100 });
  await DBOS.launch();
  await DBOS.registerQueue(queueName, {
    partitionConcurrency: 1,
    minPollingIntervalMs: pollMs,
    onConflict: "always_update",
  });
  const client = await DBOSClient.create({
    systemDatabaseUrl: databaseUrl,
    systemDatabasePoolSize: 2,
    applicationName,
    logger,
  });

  return {
    async enqueue(transaction, run, session) {
      await client.enqueueInTransaction(
        transaction,
        { queueName, workflowName, workflowID: run, queuePartitionKey: session, appVersion: applicationVersion },
        run,
      );
    },
    async takeOver(dead) {
      const pending = await DBOS.listWorkflows({ status: "PENDING", executorId: dead });
      for (const { workflowID } of pending) await DBOS.resumeWorkflow(workflowID, { queueName });
    },
    async [Symbol.asyncDispose]() {
      await client.destroy();
      await DBOS.shutdown({ deregister: true, workflowCompletionTimeoutMS: 0 });
    },
  };
}
