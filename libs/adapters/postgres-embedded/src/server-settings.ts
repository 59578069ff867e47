// Settings of the embedded server, given on its command line: they win over postgresql.conf and are the same at every start.

/** Durable by rule; sized for a machine of two cores on which the whole archive with its database stays below 700 MB. */
const fixed = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  shared_buffers: '32MB',
  max_connections: '60',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  effective_cache_size: '1GB',
  // A small max_wal_size means a checkpoint every few seconds at full ingest, and after each one whole pages in the WAL again.
  max_wal_size: '2GB',
  min_wal_size: '256MB',
  wal_buffers: '8MB',
  // A new WAL file filled with zeros is 16 MB at once: whoever syncs a received object meanwhile waits 7 to 14 ms for them.
  wal_init_zero: 'off',
  checkpoint_timeout: '15min',
  checkpoint_completion_target: '0.9',
  // The packaged build knows only pglz, which costs more CPU on two cores than the bytes it saves.
  wal_compression: 'off',
  // No replication: less WAL, no sender processes.
  wal_level: 'minimal',
  max_wal_senders: '0',
  random_page_cost: '1.1',
  // Statements here are short: compiling them and starting parallel workers costs more than it saves.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  max_worker_processes: '4',
  // Three I/O worker processes less; reads come from the page cache nearly always.
  io_method: 'sync',
  autovacuum_max_workers: '2',
  autovacuum_naptime: '15s',
  autovacuum_vacuum_cost_limit: '1000',
  // A growing archive is looked through again and again: with the defaults that takes half a core. The statistics of the catalogue are
  // brought up to date by the indexer as it grows.
  autovacuum_analyze_scale_factor: '0.5',
  autovacuum_vacuum_insert_scale_factor: '1',
  autovacuum_vacuum_scale_factor: '0.5',
  // Errors and their statements carry values of patients. LOG ranks above ERROR: start, stop, checkpoints and worse are kept.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_checkpoints: 'off',
  log_line_prefix: '',
  lc_messages: 'C',
  timezone: 'UTC',
  log_timezone: 'UTC',
} as const;

export interface ServerAddress {
  /** Folder of the Unix socket, or null: none. */
  socketFolder: string | null;
  /** Loopback TCP port, or null: none. */
  port: number | null;
}

/** The port part of the socket's name where there is no TCP port. */
export const SOCKET_PORT = 5432;

/** Arguments of the `postgres` program. @param overrides wins over ours; for tests of refused settings */
export function serverArguments(cluster: string, address: ServerAddress, overrides: Readonly<Record<string, string>> = {}): string[] {
  const settings = {
    ...fixed,
    listen_addresses: address.port === null ? '' : '127.0.0.1',
    unix_socket_directories: address.socketFolder ?? '',
    unix_socket_permissions: '0700',
    port: String(address.port ?? SOCKET_PORT),
    ...overrides,
  };
  return ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
