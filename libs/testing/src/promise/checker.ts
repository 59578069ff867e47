// Holds the archive to what the ledger says: acknowledged objects are there with equal dataset bytes, unanswered ones are whole or
// absent, and every count equals a recount. Reads over QIDO-RS and WADO-RS only, as any client would.
import { createHash } from 'node:crypto';
import type { LedgerEntry } from './ledger.js';

export interface CheckReport {
  studies: number;
  acknowledged: number;
  /** Present though never answered: allowed when whole. */
  unansweredPresent: number;
  violations: string[];
}

type Json = Record<string, { Value?: unknown[] }>;

const first = (dataset: Json, tag: string): unknown => dataset[tag]?.Value?.[0];

async function json(url: string): Promise<Json[]> {
  const response = await fetch(url, { headers: { accept: 'application/dicom+json' }, signal: AbortSignal.timeout(30_000) });
  if (response.status === 204 || response.status === 404) {
    await response.arrayBuffer();
    return [];
  }
  if (!response.ok) throw new Error(`${response.status} for ${new URL(url).pathname}: ${(await response.text()).slice(0, 300)}`);
  return (await response.json()) as Json[];
}

export class PromiseChecker {
  constructor(private readonly web: string) {}

  /** @param findableWithinMs the bounded time after which every acknowledged object must be findable */
  async check(entries: readonly LedgerEntry[], findableWithinMs = 30_000): Promise<CheckReport> {
    const studies = new Map<string, LedgerEntry[]>();
    for (const entry of entries) studies.set(entry.studyInstanceUid, [...(studies.get(entry.studyInstanceUid) ?? []), entry]);
    const report: CheckReport = { studies: studies.size, acknowledged: 0, unansweredPresent: 0, violations: [] };
    const deadlineMs = Date.now() + findableWithinMs;
    const queue = [...studies];
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let next = queue.pop(); next; next = queue.pop()) await this.checkStudy(next[0], next[1], report, deadlineMs);
      }),
    );
    return report;
  }

  /** An object that was never answered may still become visible while it is looked at: what disagrees is looked at again. */
  private async checkStudy(study: string, entries: LedgerEntry[], report: CheckReport, deadlineMs: number): Promise<void> {
    report.acknowledged += entries.filter(({ state }) => state === 'acknowledged').length;
    for (;;) {
      const { violations, unansweredPresent } = await this.lookAt(study, entries, deadlineMs);
      const mayPass = violations.length > 0 && violations.every((violation) => !violation.startsWith('other bytes'));
      if (mayPass && Date.now() < deadlineMs) {
        await new Promise((done) => setTimeout(done, 200));
        continue;
      }
      report.unansweredPresent += unansweredPresent;
      report.violations.push(...violations);
      return;
    }
  }

  private async lookAt(study: string, entries: LedgerEntry[], deadlineMs: number): Promise<{ violations: string[]; unansweredPresent: number }> {
    const violations: string[] = [];
    let unansweredPresent = 0;
    const acknowledged = entries.filter(({ state }) => state === 'acknowledged');
    const listed = await this.listed(study, acknowledged, deadlineMs);
    for (const entry of acknowledged) if (!listed.has(entry.sopInstanceUid)) violations.push(`missing ${entry.sopInstanceUid} (${entry.road})`);
    const known = new Map(entries.map((entry) => [entry.sopInstanceUid, entry]));
    const bytes = listed.size > 0 ? await this.retrieve(study) : new Map<string, string>();
    for (const uid of listed) {
      const entry = known.get(uid);
      if (!entry) violations.push(`unknown instance ${uid}`);
      else if (!bytes.has(uid)) violations.push(`listed but not retrievable: ${uid} (${entry.state}, ${entry.road})`);
      else if (bytes.get(uid) !== entry.sha256) violations.push(`other bytes: ${uid} (${entry.state}, ${entry.road})`);
      else if (entry.state !== 'acknowledged') unansweredPresent += 1;
    }
    for (const uid of bytes.keys()) if (!listed.has(uid)) violations.push(`retrievable but not listed: ${uid}`);
    violations.push(...(await this.countViolations(study, listed.size)));
    return { violations, unansweredPresent };
  }

  private async listed(study: string, acknowledged: readonly LedgerEntry[], deadlineMs: number): Promise<Set<string>> {
    for (;;) {
      const instances = await json(`${this.web}/studies/${study}/instances?limit=5000`).catch((error: unknown) => {
        if (Date.now() > deadlineMs) throw error;
        return [];
      });
      const uids = new Set(instances.map((instance) => String(first(instance, '00080018'))));
      if (acknowledged.every(({ sopInstanceUid }) => uids.has(sopInstanceUid)) || Date.now() > deadlineMs) return uids;
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** SOP Instance UID → SHA-256 of the dataset as retrieved; empty when the answer fails or breaks off. */
  private async retrieve(study: string): Promise<Map<string, string>> {
    try {
      const response = await fetch(`${this.web}/studies/${study}`, {
        headers: { accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' },
        signal: AbortSignal.timeout(60_000),
      });
      const body = Buffer.from(await response.arrayBuffer());
      if (response.status !== 200) return new Map();
      const boundary = /boundary="?([^";]+)"?/.exec(response.headers.get('content-type') ?? '')![1]!;
      return new Map(partsOf(body, boundary).map((part) => [sopInstanceUidOf(part), createHash('sha256').update(datasetOf(part)).digest('hex')]));
    } catch {
      // What cannot be retrieved shows as `listed but not retrievable`.
      return new Map();
    }
  }

  private async countViolations(study: string, instances: number): Promise<string[]> {
    const [row] = await json(`${this.web}/studies?StudyInstanceUID=${study}`);
    if (!row) return instances > 0 ? [`study ${study} is not listed`] : [];
    const series = await json(`${this.web}/studies/${study}/series`);
    const bySeries = series.reduce((sum, entry) => sum + Number(first(entry, '00201209')), 0);
    const counted = [Number(first(row, '00201208')), bySeries, Number(first(row, '00201206'))];
    if (counted[0] === instances && counted[1] === instances && counted[2] === series.length) return [];
    return [`counts of ${study}: study says ${counted[0]}, series say ${counted[1]}, ${instances} listed; ${counted[2]} series, ${series.length} listed`];
  }
}

function partsOf(body: Buffer, boundary: string): Buffer[] {
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: Buffer[] = [];
  let at = body.indexOf(delimiter);
  while (at >= 0) {
    const begin = body.indexOf('\r\n\r\n', at);
    const end = body.indexOf(`\r\n--${boundary}`, at + delimiter.length);
    if (begin < 0 || end < 0) break;
    parts.push(body.subarray(begin + 4, end));
    at = end + 2;
  }
  return parts;
}
/** File Meta Information is explicit little endian; its group length says where the dataset begins (PS3.10 §7.1). */
function datasetOf(part: Buffer): Buffer {
  return part.subarray(144 + part.readUInt32LE(140));
}
function sopInstanceUidOf(part: Buffer): string {
  const tag = part.indexOf(Buffer.from([0x02, 0x00, 0x03, 0x00, 0x55, 0x49]), 132);
  return part.toString('latin1', tag + 8, tag + 8 + part.readUInt16LE(tag + 6)).replace(/\0+$/, '');
}
