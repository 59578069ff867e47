// What the sender knows, outside the system under test: written and fsynced before an object is sent and after it was answered.
// The checker believes only this.
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';

export type LedgerState = 'sent' | 'acknowledged' | 'refused';
export interface LedgerEntry {
  sopInstanceUid: string;
  seriesInstanceUid: string;
  studyInstanceUid: string;
  sha256: string;
  road: 'dimse' | 'stow';
  /** `sent` without an answer is unknown: the object may be there or not, but whole. */
  state: LedgerState;
}

export class Ledger {
  private readonly file: number;
  private readonly entries = new Map<string, LedgerEntry>();
  private dirty = false;

  constructor(path: string) {
    this.file = openSync(path, 'a');
  }

  sending(entries: readonly Omit<LedgerEntry, 'state'>[]): void {
    for (const entry of entries) this.put({ ...entry, state: this.entries.get(entry.sopInstanceUid)?.state === 'acknowledged' ? 'acknowledged' : 'sent' });
    this.flush();
  }

  answered(sopInstanceUids: readonly string[], state: Exclude<LedgerState, 'sent'>): void {
    for (const uid of sopInstanceUids) {
      const entry = this.entries.get(uid)!;
      if (entry.state !== 'acknowledged') this.put({ ...entry, state });
    }
    this.flush();
  }

  private put(entry: LedgerEntry): void {
    this.entries.set(entry.sopInstanceUid, entry);
    writeSync(this.file, `${JSON.stringify(entry)}\n`);
    this.dirty = true;
  }

  private flush(): void {
    if (this.dirty) fdatasyncSync(this.file);
    this.dirty = false;
  }

  /** As it is now; later answers do not change what is given here. */
  snapshot(): LedgerEntry[] {
    return [...this.entries.values()];
  }

  acknowledgedCount(): number {
    let count = 0;
    for (const entry of this.entries.values()) if (entry.state === 'acknowledged') count += 1;
    return count;
  }

  /** Starts an empty account; the file keeps all of it. */
  forget(): void {
    this.entries.clear();
  }

  close(): void {
    closeSync(this.file);
  }
}
