// The values by which instances are searched, taken from the kept attributes: first value, trimmed, normalised, null when
// absent, empty or not readable as what it should be.
import { type DicomJsonDataset, type SearchAttributes } from '@perennia/contracts';
import { parseDa, parseTm, type PersonName, searchName } from '@perennia/dicom-data';

export type StudySearch = Pick<SearchAttributes,
  'patientId' | 'issuer' | 'patientName' | 'birthDate' | 'sex' | 'studyDate' | 'studyTime' | 'accessionNumber' | 'referringPhysicianName' | 'studyId' | 'studyDescription'>;
export type SeriesSearch = Pick<SearchAttributes,
  'modality' | 'seriesNumber' | 'seriesDescription' | 'bodyPartExamined' | 'performedStepStartDate' | 'performedStepStartTime'>;
export type InstanceSearch = Pick<SearchAttributes, 'instanceNumber' | 'rows' | 'columns' | 'bitsAllocated'>;

export function searchedOfStudy(study: DicomJsonDataset, defaultIssuer: string | undefined): StudySearch {
  return {
    patientId: text(study, '00100020'),
    issuer: universalIssuer(study) ?? text(study, '00100021') ?? defaultIssuer ?? null,
    patientName: name(study, '00100010'),
    birthDate: date(study, '00100030'),
    sex: text(study, '00100040'),
    studyDate: date(study, '00080020'),
    studyTime: time(study, '00080030'),
    accessionNumber: text(study, '00080050'),
    referringPhysicianName: name(study, '00080090'),
    studyId: text(study, '00200010'),
    studyDescription: text(study, '00081030'),
  };
}

export function searchedOfSeries(series: DicomJsonDataset): SeriesSearch {
  return {
    modality: text(series, '00080060'),
    seriesNumber: integer(series, '00200011'),
    seriesDescription: text(series, '0008103E'),
    bodyPartExamined: text(series, '00180015'),
    performedStepStartDate: date(series, '00400244'),
    performedStepStartTime: time(series, '00400245'),
  };
}

export function searchedOfInstance(instance: DicomJsonDataset): InstanceSearch {
  return {
    instanceNumber: integer(instance, '00200013'),
    rows: integer(instance, '00280010'),
    columns: integer(instance, '00280011'),
    bitsAllocated: integer(instance, '00280100'),
  };
}

/** The first value of an attribute as text; null when there is none. */
export function text(dataset: DicomJsonDataset, key: string): string | null {
  const value = dataset[key]?.Value?.[0];
  if (typeof value === 'string') return value.trim() || null;
  return typeof value === 'number' ? String(value) : null;
}

/** The first value of an attribute as a whole number that a database integer holds. */
export function integer(dataset: DicomJsonDataset, key: string): number | null {
  const value = dataset[key]?.Value?.[0];
  const number = typeof value === 'string' && /^[+-]?\d+(\.0*)?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : null;
}

function name(dataset: DicomJsonDataset, key: string): string | null {
  const value = dataset[key]?.Value?.[0];
  if (typeof value === 'string') return searchName(value);
  if (typeof value !== 'object' || value === null) return null;
  const { Alphabetic = '', Ideographic = '', Phonetic = '' } = value as PersonName;
  return searchName(Ideographic === '' && Phonetic === '' ? Alphabetic : `${Alphabetic}=${Ideographic}=${Phonetic}`);
}
function date(dataset: DicomJsonDataset, key: string): string | null {
  const value = text(dataset, key);
  return value === null ? null : parseDa(value);
}
function time(dataset: DicomJsonDataset, key: string): string | null {
  const value = text(dataset, key);
  return value === null ? null : parseTm(value);
}
/** Issuer of Patient ID Qualifiers Sequence > Universal Entity ID (0040,0032): unique in the world where it is present. */
function universalIssuer(study: DicomJsonDataset): string | null {
  const item = study['00100024']?.Value?.[0];
  return item === undefined ? null : text(item as DicomJsonDataset, '00400032');
}
