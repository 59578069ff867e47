// A run: records of one partition that were appended together, as one row of the log. Receipts of one study are nearly alike, so
// that a run takes a twentieth of their text, in the database's write-ahead log as well, for whose writes reception has to wait.
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';
import type { LogRecord, NewLogRecord } from '@perennia/messaging';

export interface RecordRun {
  partition: number;
  records: number;
  encoding: RunEncoding;
  content: Buffer;
  /** Of the text, before compression: what a reader needs memory for. */
  textBytes: number;
}
/** How `content` holds the text; numbers are kept in the database. */
export const RunEncoding = { plain: 0, zstd: 1 } as const;
export type RunEncoding = (typeof RunEncoding)[keyof typeof RunEncoding];

/** Between keys and values. Cannot occur in JSON text; keys with it are refused. */
export const SEPARATOR = '\x1e';
const SEPARATOR_BYTE = SEPARATOR.charCodeAt(0);
/** Bounds what is packed or unpacked at once: less than a millisecond of reception's thread. */
const MAX_RECORDS = 128;
const MAX_CHARACTERS = 512 * 1024;
/** Shorter ones would hardly become smaller. */
const COMPRESSED_FROM_BYTES = 512;
/** That zlib takes. */
const SMALLEST_CHUNK_BYTES = 64;
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const compress = promisify(zstdCompress);

/** In the order of `records` within each partition. One run at a time: whoever appends has other work between them. */
export async function packRuns(records: readonly NewLogRecord[]): Promise<RecordRun[]> {
  const runs: RecordRun[] = [];
  for (const ofPartition of Map.groupBy(records, ({ partition }) => partition).values()) {
    for (const run of cutRuns(ofPartition)) runs.push(await packRun(run));
  }
  return runs;
}

/**
 * Keys and values of a run, in order; the values are views of one piece of memory. On this thread and in one piece: to ask another thread
 * for 16 KiB at a time cost readers a tenth of their time.
 */
export function unpackRun({ encoding, content, textBytes }: Pick<RecordRun, 'encoding' | 'content' | 'textBytes'>): Pick<LogRecord, 'key' | 'value'>[] {
  // One byte more than is needed, or a second piece is begun.
  const text = encoding === RunEncoding.zstd ? zstdDecompressSync(content, { chunkSize: Math.max(textBytes + 1, SMALLEST_CHUNK_BYTES) }) : content;
  const records: Pick<LogRecord, 'key' | 'value'>[] = [];
  for (let start = 0; start < text.length; ) {
    const keyEnd = text.indexOf(SEPARATOR_BYTE, start);
    const found = text.indexOf(SEPARATOR_BYTE, keyEnd + 1);
    const end = found === -1 ? text.length : found;
    records.push({ key: text.toString('utf8', start, keyEnd), value: text.subarray(keyEnd + 1, end) });
    start = end + 1;
  }
  return records;
}

async function packRun(records: readonly NewLogRecord[]): Promise<RecordRun> {
  const text = Buffer.concat(records.flatMap(({ key, value }, at) => [Buffer.from((at === 0 ? key : SEPARATOR + key) + SEPARATOR), asBytes(value)]));
  const run = { partition: records[0]!.partition, records: records.length, textBytes: text.length };
  if (text.length < COMPRESSED_FROM_BYTES) return { ...run, encoding: RunEncoding.plain, content: text };
  return { ...run, encoding: RunEncoding.zstd, content: await compress(text, LEVEL) };
}

const asBytes = (value: string | Buffer): Buffer => (typeof value === 'string' ? Buffer.from(value) : value);

function cutRuns(records: readonly NewLogRecord[]): NewLogRecord[][] {
  const runs: NewLogRecord[][] = [];
  let characters = 0;
  for (const record of records) {
    const run = runs.at(-1);
    characters += record.value.length;
    if (run && run.length < MAX_RECORDS && characters <= MAX_CHARACTERS) {
      run.push(record);
    } else {
      runs.push([record]);
      characters = record.value.length;
    }
  }
  return runs;
}
