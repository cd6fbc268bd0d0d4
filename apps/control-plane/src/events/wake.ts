import { randomUUID } from "node:crypto";
import pg from "pg";
import type { Log } from "../log/log.ts";

/**
 * Wakes whoever waits for a topic (`run:<id>`, `owner:<id>`, `cancel:<id>` …), in this replica at once and in the others by one NOTIFY that
 * carries only topics and is sent at most every `coalesceMs`. A wake may come without cause and may, after a lost connection, not come at
 * all: waiters read again after `safetyMs` anyhow.
 */
export interface Wake extends AsyncDisposable {
  notify(topic: string): void;
  /** Calls back with each topic that another replica wakes; with null when some may not have been heard. */
  onForeign(receive: (topic: string | null) => void): void;
  /** False while what other replicas say is not heard. */
  listens(): boolean;
  /** Yields at once, then after each wake of the topic, until the signal aborts. */
  watch(topic: string, signal: AbortSignal): AsyncGenerator<void>;
}

/** Woken by each replica that joins, long before it serves, and when one is gone. */
export const replicasTopic = "replicas";

const channel = "alcove_wake";
const coalesceMs = 25;
const safetyMs = 10_000;
/** PostgreSQL refuses a payload of 8,000 bytes or more. */
const payloadBytes = 7_000;

export function createWake({ databaseUrl, pool, log }: { databaseUrl: string; pool: pg.Pool; log: Log }): Wake {
  const waiters = new Map<string, Set<() => void>>();
  const pending = new Set<string>();
  const receivers = new Set<(topic: string | null) => void>();
  /** The first line of each payload of this replica: it has woken its own waiters before. */
  const own = `from ${randomUUID()}`;
  const ended = new AbortController();
  let flushTimer: NodeJS.Timeout | undefined;
  let listener: pg.Client | undefined;

  const wakeHere = (topic: string) => {
    for (const wake of waiters.get(topic) ?? []) wake();
  };

  const flush = async () => {
    flushTimer = undefined;
    const topics = [...pending];
    pending.clear();
    let batch = "";
    const batches: string[] = [];
    for (const topic of topics) {
      if (batch.length + topic.length > payloadBytes) {
        batches.push(batch);
        batch = "";
      }
      batch ||= `${own}\n`;
      batch += `${topic}\n`;
    }
    if (batch) batches.push(batch);
    try {
      for (const payload of batches) await pool.query("select pg_notify($1, $2)", [channel, payload]);
    } catch (error) {
      log.warn({ err: error }, "could not notify other replicas");
    }
  };

  const connect = async () => {
    while (!ended.signal.aborted) {
      const client = new pg.Client({ connectionString: databaseUrl });
      const closed = new Promise<void>((resolve) => client.once("end", () => resolve()));
      client.on("error", (error) => log.warn({ err: error }, "the listening connection broke"));
      client.on("notification", ({ payload }) => {
        const topics = (payload ?? "").split("\n").filter(Boolean);
        if (topics[0] === own) return;
        for (const topic of topics) {
          for (const receive of receivers) receive(topic);
          wakeHere(topic);
        }
      });
      try {
        await client.connect();
        await client.query(`listen ${channel}`);
        listener = client;
        // It may have been ended while the connection was made.
        if (ended.signal.aborted) await client.end();
        for (const receive of receivers) receive(null);
        for (const topic of waiters.keys()) wakeHere(topic);
        await closed;
      } catch (error) {
        log.warn({ err: error }, "could not listen for changes");
        await client.end().catch((failure: unknown) => log.debug({ err: failure }, "closing the listening connection"));
      }
      listener = undefined;
      if (!ended.signal.aborted) await pause(500, ended.signal);
    }
  };
  const connecting = connect();

  return {
    onForeign: (receive) => void receivers.add(receive),
    listens: () => listener !== undefined,
    notify(topic) {
      wakeHere(topic);
      if (ended.signal.aborted) return;
      pending.add(topic);
      flushTimer ??= setTimeout(() => void flush(), coalesceMs);
    },
    async *watch(topic, signal) {
      const both = AbortSignal.any([signal, ended.signal]);
      let woken = true;
      let release: (() => void) | undefined;
      const wake = () => {
        woken = true;
        release?.();
      };
      const set = waiters.get(topic) ?? new Set();
      waiters.set(topic, set.add(wake));
      both.addEventListener("abort", wake);
      try {
        while (!both.aborted) {
          if (!woken) {
            const timer = setTimeout(wake, safetyMs);
            await new Promise<void>((resolve) => {
              release = resolve;
            });
            clearTimeout(timer);
          }
          if (both.aborted) return;
          woken = false;
          yield;
        }
      } finally {
        both.removeEventListener("abort", wake);
        set.delete(wake);
        if (set.size === 0 && waiters.get(topic) === set) waiters.delete(topic);
      }
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      clearTimeout(flushTimer);
      if (pending.size > 0) await flush();
      await listener?.end();
      await connecting;
    },
  };
}

/** Resolves after the time, or as soon as the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}
