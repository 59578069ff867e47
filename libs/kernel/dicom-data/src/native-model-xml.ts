// A dataset as XML of the Native DICOM Model (PS3.19 §A.1), from its DICOM JSON (PS3.18 Annex F). Text is UTF-8; characters that XML 1.0 has no way to
// write become U+FFFD.
import { type DicomJsonDataset, type DicomJsonElement } from '@perennia/contracts';
import { keywordOfTag } from './dictionary.js';
import { isPrivateTag, type Tag } from './tag.js';

const NAMESPACE = 'http://dicom.nema.org/PS3.19/models/NativeDICOM';
const NAME_GROUPS = ['Alphabetic', 'Ideographic', 'Phonetic'] as const;
/** PS3.5 §6.2.1.1, in order. */
const NAME_COMPONENTS = ['FamilyName', 'GivenName', 'MiddleName', 'NamePrefix', 'NameSuffix'] as const;
/** XML 1.0 §2.2. */
const NO_CHARACTER = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;' };

/** One document. @param dataset keys are eight upper-case hex digits, in any order */
export function nativeModelXml(dataset: DicomJsonDataset): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns="${NAMESPACE}" xml:space="preserve">${attributes(dataset)}</NativeDicomModel>`;
}

function attributes(dataset: DicomJsonDataset): string {
  return Object.keys(dataset).toSorted().map((key) => attribute(key, dataset)).join('');
}

function attribute(key: string, dataset: DicomJsonDataset): string {
  const element = dataset[key]!;
  const tag = Number.parseInt(key, 16) as Tag;
  const keyword = keywordOfTag(tag);
  const creator = isPrivateTag(tag) ? creatorOf(key, dataset) : undefined;
  const named = keyword === undefined ? '' : ` keyword="${keyword}"`;
  const owned = creator === undefined ? '' : ` privateCreator="${escaped(creator)}"`;
  const content = contentOf(element);
  const head = `<DicomAttribute tag="${key}" vr="${element.vr}"${named}${owned}`;
  return content === '' ? `${head}/>` : `${head}>${content}</DicomAttribute>`;
}

/** PS3.5 §7.8.1: (gggg,bbee) is of who stands in (gggg,00bb). */
function creatorOf(key: string, dataset: DicomJsonDataset): string | undefined {
  const creator = dataset[`${key.slice(0, 4)}00${key.slice(4, 6)}`]?.Value?.[0];
  return typeof creator === 'string' ? creator : undefined;
}

function contentOf({ vr, Value: values, InlineBinary, BulkDataURI }: DicomJsonElement): string {
  if (BulkDataURI !== undefined) return `<BulkData uri="${escaped(BulkDataURI)}"/>`;
  if (InlineBinary !== undefined) return `<InlineBinary>${InlineBinary}</InlineBinary>`;
  return (values ?? []).map((value, index) => valueOf(vr, value, index + 1)).join('');
}

function valueOf(vr: string, value: unknown, number: number): string {
  if (vr === 'SQ') return `<Item number="${number}">${attributes((value ?? {}) as DicomJsonDataset)}</Item>`;
  // Numbers of values that are empty are left out (PS3.19 Table A.1.5-2).
  if (value === null || value === undefined) return '';
  if (vr === 'PN') return `<PersonName number="${number}">${personName(value)}</PersonName>`;
  return `<Value number="${number}">${escaped(String(value))}</Value>`;
}

function personName(value: unknown): string {
  const groups = (typeof value === 'string' ? { Alphabetic: value } : value) as Readonly<Partial<Record<(typeof NAME_GROUPS)[number], string>>>;
  return NAME_GROUPS.map((group) => (groups[group] ? `<${group}>${components(groups[group])}</${group}>` : '')).join('');
}

function components(group: string): string {
  const texts = group.split('^');
  return NAME_COMPONENTS.map((name, index) => (texts[index] ? `<${name}>${escaped(texts[index])}</${name}>` : '')).join('');
}

function escaped(text: string): string {
  return text.replace(NO_CHARACTER, '\ufffd').replace(/[&<>"\r]/g, (character) => ESCAPES[character]!);
}
