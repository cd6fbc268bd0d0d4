import { check, libc } from "./libc.ts";

/** struct __user_cap_header_struct and two __user_cap_data_struct { u32 effective, permitted, inheritable } (capget(2)). */
const version3 = 0x20080522;
const dataBytes = 24;

/**
 * Does synchronous work with another user's id towards file systems (setfsuid(2)), keeping the capabilities that the change of id takes away. The id belongs to
 * the thread, so that nothing asynchronous may be in it.
 */
export function withFileUser(id: number, work: () => void): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(version3, 0);
  const rights = Buffer.alloc(dataBytes);
  check("capget", libc.capget(header, rights));
  libc.setfsgid(id);
  libc.setfsuid(id);
  try {
    check("capset", libc.capset(header, rights));
    work();
  } finally {
    libc.setfsuid(0);
    libc.setfsgid(0);
    check("capset", libc.capset(header, rights));
  }
}
