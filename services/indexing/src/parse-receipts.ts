// Log records to receipts. The log is written by our own relays, so a record is parsed, not validated field by field (30 to 60
// microseconds each); what the database then refuses is found by bisection.
import type { DicomJsonDataset, Envelope, InstanceReceived } from '@perennia/contracts';
import { InvalidInputError } from '@perennia/errors';
import type { LogRecord } from '@perennia/messaging';
import { incomingReceipt, type IncomingReceipt } from './incoming-receipt.js';

/** What JSON may spell and PostgreSQL cannot store: NUL, and halves of surrogate pairs. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/i;
const ESCAPE = Buffer.from('\\u');

/**
 * Where the attributes of a receipt begin and end, as JSON.stringify writes them. No value can look like that: its quotes have backslashes
 * before them; and no element has such a name, they are tags.
 */
const DATA = Buffer.from('"data":{');
const TRACEPARENT = Buffer.from('"traceparent":"');
const QUOTE = Buffer.from('"');
const STUDY = Buffer.from(',"attributes":{"study":{');
const SERIES = Buffer.from('},"series":{');
const INSTANCE = Buffer.from('},"instance":{');
const AFTER = Buffer.from('}},"search":{');

/** @throws InvalidInputError when one is no receipt */
export function parseReceipts(records: readonly LogRecord[]): IncomingReceipt[] {
  const datasets = new SharedDatasets();
  return records.map(({ value, offset, partition }) => {
    const receipt = parseParts(value, datasets) ?? parseWhole(value.toString());
    if (receipt?.traceparent !== undefined) receipt.traceparent = sentBy(value) ?? receipt.traceparent;
    if (receipt) return receipt;
    throw new InvalidInputError('A record of the log is no receipt.', { details: { partition, offset } });
  });
}

/** The span that sent the record, in the envelope before the receipt; in the receipt is the one that stored its object. */
function sentBy(value: Buffer): string | undefined {
  const begin = value.indexOf(TRACEPARENT) + TRACEPARENT.length;
  const end = value.indexOf(DATA);
  return begin < TRACEPARENT.length || begin > end ? undefined : value.toString('latin1', begin, value.indexOf(QUOTE, begin));
}

/** The attributes that instances of one study or series have in common: parsed again only when they differ from those before. */
class SharedDatasets {
  private readonly last = new Map<string, { text: Buffer; dataset: DicomJsonDataset }>();

  parse(uid: string, text: Buffer): DicomJsonDataset | undefined {
    const last = this.last.get(uid);
    if (last?.text.equals(text)) return last.dataset;
    const dataset = parseJson<DicomJsonDataset>(text.toString());
    if (dataset) this.last.set(uid, { text, dataset });
    return dataset;
  }
}

/** @returns undefined for what a relay would write otherwise: it has to be parsed as a whole */
function parseParts(value: Buffer, datasets: SharedDatasets): IncomingReceipt | undefined {
  const data = value.indexOf(DATA);
  const study = value.indexOf(STUDY, data);
  const series = value.indexOf(SERIES, study);
  const instance = value.indexOf(INSTANCE, series);
  const after = value.indexOf(AFTER, instance);
  if (data < 0 || study < data || series < study || instance < series || after < instance || isUnstorable(value)) return undefined;
  // Each part with the braces that its markers end or begin with; the last brace of all is the envelope's.
  const rest = value.toString('utf8', data + DATA.length - 1, study) + value.toString('utf8', after + 2, value.length - 1);
  const receipt = parseJson<Omit<IncomingReceipt, 'attributes'>>(rest);
  if (!receipt || !isReceipt(receipt)) return undefined;
  const ofStudy = datasets.parse(receipt.studyInstanceUid, value.subarray(study + STUDY.length - 1, series + 1));
  const ofSeries = datasets.parse(`${receipt.studyInstanceUid}/${receipt.seriesInstanceUid}`, value.subarray(series + SERIES.length - 1, instance + 1));
  if (!ofStudy || !ofSeries) return undefined;
  return Object.assign(receipt, { attributes: { study: ofStudy, series: ofSeries, instance: value.subarray(instance + INSTANCE.length - 1, after + 1) } });
}

function parseWhole(value: string): IncomingReceipt | undefined {
  const receipt = parseJson<Envelope<InstanceReceived>>(value, UNSTORABLE.test(value) ? storable : undefined)?.data;
  return receipt && isReceipt(receipt) && typeof receipt.attributes === 'object' ? incomingReceipt(receipt) : undefined;
}

function isReceipt(receipt: Partial<Omit<InstanceReceived, 'attributes'>>): boolean {
  return typeof receipt.receiptId === 'string' && typeof receipt.place?.key === 'string' && typeof receipt.search === 'object';
}

function parseJson<T>(text: string, reviver?: (key: string, value: unknown) => unknown): T | undefined {
  try {
    return JSON.parse(text, reviver) as T;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isUnstorable = (value: Buffer): boolean => value.includes(ESCAPE) && UNSTORABLE.test(value.toString());

function storable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : value;
}
