// Log records to receipts. The log is written by our own relays, so a record is parsed, not validated field by field (30 to 60
// microseconds each); what the database then refuses is found by bisection.
import type { DicomJsonDataset, Envelope, InstanceReceived } from '@perennia/contracts';
import { InvalidInputError } from '@perennia/errors';
import type { LogRecord } from '@perennia/messaging';
import { incomingReceipt, type IncomingReceipt } from './incoming-receipt.js';

/** What JSON may spell and PostgreSQL cannot store: NUL, and halves of surrogate pairs. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/i;

/**
 * Where the attributes of a receipt begin and end, as JSON.stringify writes them. No value can look like that: its quotes have backslashes
 * before them; and no element has such a name, they are tags.
 */
const DATA = '"data":{';
const STUDY = ',"attributes":{"study":{';
const SERIES = '},"series":{';
const INSTANCE = '},"instance":{';
const AFTER = '}},"search":{';

/** @throws InvalidInputError when one is no receipt */
export function parseReceipts(records: readonly LogRecord[]): IncomingReceipt[] {
  const datasets = new SharedDatasets();
  return records.map(({ value, offset, partition }) => {
    const receipt = parseParts(value, datasets) ?? parseWhole(value);
    if (receipt) return receipt;
    throw new InvalidInputError('A record of the log is no receipt.', { details: { partition, offset } });
  });
}

/** The attributes that instances of one study or series have in common, parsed once a batch. */
class SharedDatasets {
  private readonly byText = new Map<string, DicomJsonDataset>();

  parse(text: string): DicomJsonDataset | undefined {
    const known = this.byText.get(text);
    if (known) return known;
    const dataset = parseJson<DicomJsonDataset>(text);
    if (dataset) this.byText.set(text, dataset);
    return dataset;
  }
}

/** @returns undefined for what a relay would write otherwise: it has to be parsed as a whole */
function parseParts(value: string, datasets: SharedDatasets): IncomingReceipt | undefined {
  const data = value.indexOf(DATA);
  const study = value.indexOf(STUDY, data);
  const series = value.indexOf(SERIES, study);
  const instance = value.indexOf(INSTANCE, series);
  const after = value.indexOf(AFTER, instance);
  if (data < 0 || study < data || series < study || instance < series || after < instance || isUnstorable(value)) return undefined;
  // Each part with the braces that its markers end or begin with.
  const rest = value.slice(data + DATA.length - 1, study) + value.slice(after + 2, -1);
  const receipt = parseJson<Omit<IncomingReceipt, 'attributes'>>(rest);
  const ofStudy = datasets.parse(value.slice(study + STUDY.length - 1, series + 1));
  const ofSeries = datasets.parse(value.slice(series + SERIES.length - 1, instance + 1));
  if (!receipt || !isReceipt(receipt) || !ofStudy || !ofSeries) return undefined;
  return Object.assign(receipt, { attributes: { study: ofStudy, series: ofSeries, instance: value.slice(instance + INSTANCE.length - 1, after + 1) } });
}

function parseWhole(value: string): IncomingReceipt | undefined {
  const receipt = parseJson<Envelope<InstanceReceived>>(value, isUnstorable(value) ? storable : undefined)?.data;
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

const isUnstorable = (value: string): boolean => value.includes('\\u') && UNSTORABLE.test(value);

function storable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : value;
}
