// The identifier of one match (PS3.4 §C.4.1.1.3.2): the keys that were asked for, empty where there is nothing, and what every answer says
// of itself: level, who has it, whether it is at hand, and the character set, which is the asker's where that has all the characters.
import type { DicomJsonDataset, DicomJsonElement } from '@perennia/contracts';
import { datasetOfJson, isAffectedByCharacterSet, lookupTag, personNameText, textEncodingOf, UTF_8, writeDataset, type PersonName, type TextEncoding } from '@perennia/dicom-data';
import { type FindAnswer } from '@perennia/dicom-net';
import type { FindQuery } from './find-query.js';
import { isSupportedKey } from './supported-keys.js';

const CHARACTER_SET = '00080005';
const LEVEL = '00080052';
const RETRIEVE_AE_TITLE = '00080054';
const AVAILABILITY = '00080056';

export interface AnswerOptions {
  query: FindQuery;
  transferSyntaxUid: string;
  /** Where what was found can be retrieved. */
  aeTitle: string;
  /** Whether a condition was ignored because nothing is kept that could answer it. */
  ignoredCondition: boolean;
}

export class AnswerWriter {
  private readonly status: 0xff00 | 0xff01;
  private readonly encoding: TextEncoding | undefined;

  constructor(private readonly options: AnswerOptions) {
    const { query, ignoredCondition } = options;
    const supported = Object.keys(query.keys).every((tag) => isSupportedKey(tag, query.level));
    this.status = supported && !ignoredCondition ? 0xff00 : 0xff01;
    this.encoding = query.characterSet === undefined ? undefined : textEncodingOf(query.characterSet);
  }

  /** @param found everything that is known of it */
  write(found: DicomJsonDataset): FindAnswer {
    const { query, transferSyntaxUid, aeTitle } = this.options;
    const answer: DicomJsonDataset = {};
    for (const [tag, key] of Object.entries(query.keys)) answer[tag] = answeredElement(tag, key, found[tag]);
    answer[LEVEL] = { vr: 'CS', Value: [query.level] };
    answer[RETRIEVE_AE_TITLE] = { vr: 'AE', Value: [aeTitle] };
    answer[AVAILABILITY] = { vr: 'CS', Value: ['ONLINE'] };
    const term = this.termFor(answer);
    if (term !== undefined) answer[CHARACTER_SET] = term === '' ? { vr: 'CS' } : { vr: 'CS', Value: [term] };
    return { identifier: writeDataset(datasetOfJson(answer), transferSyntaxUid), status: this.status };
  }

  /** Undefined: nothing needs to be said. */
  private termFor(answer: DicomJsonDataset): string | undefined {
    const encodable = (text: string): boolean => (this.encoding ?? ASCII).encode(text) !== null;
    if (!everyText(answer, encodable)) return UTF_8.term;
    return this.encoding?.term;
  }
}

const ASCII = textEncodingOf('')!;

function answeredElement(tag: string, key: DicomJsonElement, found: DicomJsonElement | undefined): DicomJsonElement {
  const vr = found?.vr ?? lookupTag(Number.parseInt(tag, 16))?.vr ?? key.vr;
  if (!found?.Value) return { vr };
  const wanted = (vr === 'SQ' && (key.Value?.[0] as DicomJsonDataset | undefined)) || {};
  if (Object.keys(wanted).length === 0) return found;
  const items = found.Value as DicomJsonDataset[];
  return { vr, Value: items.map((item) => Object.fromEntries(Object.entries(wanted).map(([inner, each]) => [inner, answeredElement(inner, each, item[inner])]))) };
}

function everyText(dataset: DicomJsonDataset, holds: (text: string) => boolean): boolean {
  return Object.values(dataset).every(({ vr, Value: values = [] }) => {
    if (vr === 'SQ') return values.every((item) => everyText(item as DicomJsonDataset, holds));
    if (!isAffectedByCharacterSet(vr)) return true;
    return values.every((value) => value === null || holds(typeof value === 'object' ? personNameText(value as PersonName) : String(value)));
  });
}
