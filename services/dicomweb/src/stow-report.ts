// The answer of STOW-RS (PS3.18 §10.5.3, Annex I): what was stored, what was not and why.
import { instancePath, studyPath } from '@perennia/dicom-web';
import type { ReceiveOutcome, RefusedOutcome, StoredOutcome } from '@perennia/ingest-pipeline';

export interface StowReport {
  status: 200 | 202 | 409 | 503 | 507;
  body: string;
}

const element = (vr: string, ...values: unknown[]): object => ({ vr, Value: values });

function reference({ sopClassUid, sopInstanceUid }: { sopClassUid?: string; sopInstanceUid?: string }): Record<string, object> {
  return {
    '00081150': sopClassUid ? element('UI', sopClassUid) : { vr: 'UI' },
    '00081155': sopInstanceUid ? element('UI', sopInstanceUid) : { vr: 'UI' },
  };
}

function failed(outcome: RefusedOutcome): Record<string, object> {
  return { ...reference(outcome), '00081197': element('US', outcome.failureReason) };
}

function stored(outcome: StoredOutcome, baseUrl: string): Record<string, object> {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = outcome;
  return { ...reference(outcome), '00081190': element('UR', baseUrl + instancePath(studyInstanceUid, seriesInstanceUid, sopInstanceUid)) };
}

/** @param outcomes at least one */
export function stowReport(outcomes: readonly ReceiveOutcome[], baseUrl: string): StowReport {
  const good = outcomes.filter((outcome) => outcome.outcome === 'stored');
  const bad = outcomes.filter((outcome) => outcome.outcome === 'refused');
  const studies = new Set(good.map(({ studyInstanceUid }) => studyInstanceUid));
  const body = {
    // One URL stands for the whole answer; with several studies each instance names its own.
    ...(studies.size === 1 ? { '00081190': element('UR', baseUrl + studyPath([...studies][0]!)) } : {}),
    ...(bad.length > 0 ? { '00081198': element('SQ', ...bad.map(failed)) } : {}),
    ...(good.length > 0 ? { '00081199': element('SQ', ...good.map((outcome) => stored(outcome, baseUrl))) } : {}),
  };
  return { status: statusOf(good.length, bad), body: JSON.stringify(body) };
}

function statusOf(good: number, bad: readonly RefusedOutcome[]): StowReport['status'] {
  if (bad.length === 0) return 200;
  if (good > 0) return 202;
  if (bad.every(({ reasonCode }) => reasonCode === 'STORE_FULL')) return 507;
  return bad.every(({ reasonCode }) => reasonCode === 'STORE_FULL' || reasonCode === 'STORE_UNAVAILABLE') ? 503 : 409;
}
