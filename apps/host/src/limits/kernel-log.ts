import { closeSync, constants, openSync, readSync } from "node:fs";

export interface KernelLog extends Disposable {
  /** Names of the programs that the kernel ended for want of memory in this control group since the last call, oldest first. */
  endedIn(group: string): string[];
}

/** `oom-kill:constraint=…,oom_memcg=/alcove/…/ws_…,task_memcg=…,task=node,pid=…` (mm/oom_kill.c, dump_oom_summary). */
const summary = /oom-kill:.*\boom_memcg=([^,]*),.*\btask=(.*),pid=\d+/;
const longestRecord = 8_192;

/** The kernel's log from now on (Documentation/ABI/testing/dev-kmsg); silent where this process may not read it. */
export function openKernelLog(path = "/dev/kmsg"): KernelLog {
  const ended = new Map<string, string[]>();
  const file = open(path);
  const record = Buffer.alloc(longestRecord);
  const readOn = (): void => {
    for (let text = readRecord(); text !== null; text = readRecord()) {
      const [, group = "", task = ""] = summary.exec(text) ?? [];
      if (group !== "") ended.set(group, [...(ended.get(group) ?? []), task].slice(-10));
    }
  };
  const readRecord = (): string | null => {
    if (file === null) return null;
    try {
      return record.toString("utf8", 0, readSync(file, record));
    } catch (error) {
      // EAGAIN: nothing more for now; EPIPE: older records were overwritten before they were read, and the next call goes on.
      return error instanceof Error && "code" in error && error.code === "EPIPE" ? "" : null;
    }
  };
  readOn();
  ended.clear();
  return {
    endedIn(group) {
      readOn();
      const names = [...ended].filter(([name]) => name.endsWith(group)).flatMap(([, tasks]) => tasks);
      for (const name of ended.keys()) if (name.endsWith(group)) ended.delete(name);
      return names;
    },
    [Symbol.dispose]() {
      if (file !== null) closeSync(file);
    },
  };
}

function open(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}
