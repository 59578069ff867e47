// The figures of `vna status`.
import { readFileSync, statfsSync } from 'node:fs';
import { INSTANCE_RECEIVED } from '@perennia/contracts';
import { INDEXING_GROUP } from '@perennia/indexing';
import type { EventLog } from '@perennia/messaging';
import type { ControlDatabase, Databases, ImagingDatabase } from '@perennia/persistence';
import type { ArchiveAccess } from './archive-access.js';
import { columns, formatBytes, formatCount, formatSeconds } from './command-output.js';

export interface ArchiveStatus {
  running: boolean;
  startedAt: string | null;
  endpoints: { name: string; address: string }[];
  processes: { name: string; pid: number; restarts: number; memoryBytes: number }[];
  counts: { studies: number; series: number; instances: number; bytes: number };
  storage: { folder: string; freeBytes: number; totalBytes: number };
  backlog: { notIndexed: number; notFiled: number; oldestUnfiledSeconds: number | null; jobs: number };
  attention: { conflicts: number; suspect: number; refusedLastDay: number; deadLetters: number };
}

export async function readStatus(access: ArchiveAccess, { control, imaging }: Databases, eventLog: EventLog): Promise<ArchiveStatus> {
  const run = access.running();
  const { bavail, blocks, bsize } = statfsSync(access.dataPath);
  const [counts] = await imaging.query<ArchiveStatus['counts']>(
    `select count(*)::int as studies, coalesce(sum(number_of_instances), 0)::bigint as instances, coalesce(sum(number_of_series), 0)::bigint as series,
            coalesce(sum(total_bytes), 0)::bigint as bytes
     from imaging.study where state <> 'tombstoned'`,
  );
  return {
    running: run !== undefined,
    startedAt: run?.startedAt ?? null,
    endpoints: run?.endpoints ?? [],
    processes: (run?.processes ?? []).map(({ name, pid, restarts }) => ({ name, pid, restarts, memoryBytes: residentBytes(pid) })),
    counts: Object.fromEntries(Object.entries(counts!).map(([name, value]) => [name, Number(value)])) as unknown as ArchiveStatus['counts'],
    storage: { folder: access.dataPath, freeBytes: bavail * bsize, totalBytes: blocks * bsize },
    backlog: await readBacklog(imaging, eventLog),
    attention: await readAttention(control, imaging),
  };
}

async function readBacklog(imaging: ImagingDatabase, eventLog: EventLog): Promise<ArchiveStatus['backlog']> {
  const lag = await eventLog.lag(INSTANCE_RECEIVED, INDEXING_GROUP);
  const [unfiled] = await imaging.query<Omit<ArchiveStatus['backlog'], 'notIndexed'>>(
    `select (select coalesce(sum(records - disposed_records), 0) from imaging.segment where state = 'sealed')::float8 as "notFiled",
            (select extract(epoch from now() - min(opened_at)) from imaging.segment where state = 'sealed')::float8 as "oldestUnfiledSeconds",
            (select count(*) from imaging.job where state in ('queued', 'running'))::float8 as jobs`,
  );
  return { notIndexed: lag.reduce((sum, { committedOffset, endOffset }) => sum + endOffset - committedOffset, 0), ...unfiled! };
}

async function readAttention(control: ControlDatabase, imaging: ImagingDatabase): Promise<ArchiveStatus['attention']> {
  const [aside] = await imaging.query<{ conflicts: number; suspect: number }>(
    `select (select count(*) from imaging.duplicate where kind = 'conflict')::int as conflicts,
            (select count(*) from imaging.copy where state = 'suspect')::int as suspect`,
  );
  const [refused] = await control.query<{ refusedLastDay: number; deadLetters: number }>(
    `select (select count(*) from control.refusal where refused_at > now() - interval '1 day')::int as "refusedLastDay",
            (select count(*) from control.dead_letter where state = 'open')::int as "deadLetters"`,
  );
  return { ...aside!, ...refused! };
}

/** VmRSS of a process; 0 when it has just ended. */
function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH') return 0;
    throw error;
  }
}

export function statusLines(status: ArchiveStatus): string[] {
  const { counts, storage, backlog, attention } = status;
  const oldest = backlog.oldestUnfiledSeconds === null ? '' : `, oldest segment ${formatSeconds(backlog.oldestUnfiledSeconds)}`;
  return [
    status.running ? `Running since ${status.startedAt}` : 'Not running',
    ...columns(status.endpoints.map(({ name, address }) => [`  ${name}`, address])),
    ...columns(status.processes.map(({ name, pid, restarts, memoryBytes }) => [`  ${name}`, `pid ${pid}`, formatBytes(memoryBytes), `${restarts} restarts`])),
    `Holds      ${formatCount(counts.studies)} studies, ${formatCount(counts.series)} series, ${formatCount(counts.instances)} instances, ${formatBytes(counts.bytes)}`,
    `Storage    ${storage.folder}: ${formatBytes(storage.freeBytes)} free of ${formatBytes(storage.totalBytes)}`,
    `Backlog    ${formatCount(backlog.notIndexed)} receipts to index, ${formatCount(backlog.notFiled)} objects to file${oldest}, ${formatCount(backlog.jobs)} jobs`,
    `Attention  ${attention.conflicts} conflicts, ${attention.suspect} suspect copies (--quarantine), ${attention.refusedLastDay} refused today (--refused), ` +
      `${attention.deadLetters} dead letters`,
  ];
}
