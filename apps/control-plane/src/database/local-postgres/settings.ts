/** Settings for a machine that mostly does something else: tens of megabytes, few processes, nothing that is not used. */
const settings: Record<string, string> = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  max_connections: "80",
  shared_buffers: "16MB",
  work_mem: "4MB",
  maintenance_work_mem: "16MB",
  min_wal_size: "32MB",
  max_wal_size: "256MB",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_worker_processes: "2",
  max_parallel_workers: "0",
  max_parallel_workers_per_gather: "0",
  max_logical_replication_workers: "0",
  autovacuum_worker_slots: "2",
  autovacuum_max_workers: "1",
  io_method: "sync",
  jit: "off",
  huge_pages: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_min_messages: "warning",
  log_line_prefix: "%m [%p] ",
};

/** Arguments of `postgres`; given at each start, so that an upgrade changes them without touching the data directory. */
export function serverArguments(dataDirectory: string, socketDirectory: string): string[] {
  const all = Object.entries({ ...settings, unix_socket_directories: socketDirectory });
  return ["-D", dataDirectory, ...all.flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}
