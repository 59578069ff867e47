// What every handler reads of a request: its query, its accepted types, UIDs of its path.
import { isValidUid } from '@perennia/dicom-data';
import { DicomWebError, negotiate, parseAccept, splitQuery, type AcceptRange } from '@perennia/dicom-web';
import type { FastifyRequest } from 'fastify';
import { XML_FORM } from './xml-answer.js';

export interface StudyParameters {
  study: string;
  series?: string;
  instance?: string;
}

/** What follows the question mark, still encoded. */
export function rawQuery(request: FastifyRequest): string {
  const url = request.raw.url ?? '';
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}

/** The query parameter `accept` wins over the header (PS3.18 §8.3.3.1). */
export function acceptRanges(request: FastifyRequest, parameter?: string): AcceptRange[] {
  const query = parameter ?? splitQuery(rawQuery(request)).find(([name]) => name === 'accept')?.[1];
  return parseAccept(query ?? request.headers.accept);
}

/** UIDs come from the path: they select rows, and never name files. */
export function uidsOf(request: FastifyRequest): StudyParameters {
  const parameters = request.params as StudyParameters;
  for (const uid of [parameters.study, parameters.series, parameters.instance]) {
    if (uid !== undefined && !isValidUid(uid)) throw new DicomWebError('syntax', 'The path names something that is no UID');
  }
  return parameters;
}

const JSON_TYPES = [{ mediaType: 'application/dicom+json' }, { mediaType: 'application/json' }];

/** @throws DicomWebError when the client takes neither of the JSON types */
export function jsonMediaType(ranges: readonly AcceptRange[]): string {
  const chosen = negotiate(ranges, JSON_TYPES);
  if (!chosen) throw new DicomWebError('unacceptable', 'This resource is given as application/dicom+json or application/json only');
  return chosen.mediaType;
}

/** One of the JSON types, or that of XML_FORM. @throws DicomWebError when the client takes none of them */
export function datasetMediaType(ranges: readonly AcceptRange[]): string {
  const chosen = negotiate(ranges, [...JSON_TYPES, XML_FORM]);
  if (!chosen) throw new DicomWebError('unacceptable', 'This resource is given as application/dicom+json, application/json or multipart/related; type="application/dicom+xml"');
  return chosen.mediaType;
}
