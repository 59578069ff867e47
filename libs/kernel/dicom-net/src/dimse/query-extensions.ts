// What C-FIND may do beyond the baseline, as negotiated per SOP class: the service class application information of the
// SOP Class Extended Negotiation sub-item (PS3.7 §D.3.3.5; PS3.4 §C.5.1.1, Tables C.5-1 and C.5-2), one byte each, 1 for yes.
import type { ExtendedNegotiation } from '../ul/association-request.js';

export interface QueryExtensions {
  /** Byte 1: unique keys of the levels above may be missing. */
  readonly relationalQueries: boolean;
  /** Byte 2: ranges of a date and its time are matched as one. */
  readonly dateTimeMatching: boolean;
  /** Byte 3: person names match by more than their letters. */
  readonly fuzzySemanticMatching: boolean;
  /** Byte 4: dates and times of the identifier are adjusted by its time zone. */
  readonly timezoneQueryAdjustment: boolean;
}

/** What holds without the sub-item, or for a byte that is missing. */
export const NO_QUERY_EXTENSIONS: QueryExtensions = {
  relationalQueries: false, dateTimeMatching: false, fuzzySemanticMatching: false, timezoneQueryAdjustment: false,
};

/** Bytes after the fourth (image conversion, empty value and multiple value matching) are neither offered nor granted: absent is no. */
const BYTES = 4;

/** Bytes 2 and following are optional; any value but 1 is no. */
export function decodeQueryExtensions(information: Buffer): QueryExtensions {
  return {
    relationalQueries: information[0] === 1,
    dateTimeMatching: information[1] === 1,
    fuzzySemanticMatching: information[2] === 1,
    timezoneQueryAdjustment: information[3] === 1,
  };
}

/** @param bytes how many to write, 1 to 4: an answer has no more than were asked */
export function encodeQueryExtensions(extensions: QueryExtensions, bytes = BYTES): Buffer {
  const { relationalQueries, dateTimeMatching, fuzzySemanticMatching, timezoneQueryAdjustment } = extensions;
  const all = [relationalQueries, dateTimeMatching, fuzzySemanticMatching, timezoneQueryAdjustment].map(Number);
  return Buffer.from(all.slice(0, Math.max(1, bytes)));
}

/** What both want. */
export function grantQueryExtensions(proposed: QueryExtensions, supported: QueryExtensions): QueryExtensions {
  return {
    relationalQueries: proposed.relationalQueries && supported.relationalQueries,
    dateTimeMatching: proposed.dateTimeMatching && supported.dateTimeMatching,
    fuzzySemanticMatching: proposed.fuzzySemanticMatching && supported.fuzzySemanticMatching,
    timezoneQueryAdjustment: proposed.timezoneQueryAdjustment && supported.timezoneQueryAdjustment,
  };
}

/** The sub-item that offers them, for the options of a requestor. */
export function proposeQueryExtensions(sopClassUid: string, wanted: Partial<QueryExtensions>): ExtendedNegotiation {
  return { sopClassUid, information: encodeQueryExtensions({ ...NO_QUERY_EXTENSIONS, ...wanted }) };
}
