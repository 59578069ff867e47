import { describe, expect, it } from '@jest/globals';
import { instanceReceived, receipt, seededUid, type ReceiptOptions } from '@perennia/testing';
import { decideRoles, type CatalogueState, type KeptInstance } from './decide-roles.js';
import { incomingInstances, instanceKey, type IncomingInstance } from './incoming-instance.js';

const empty: CatalogueState = { claimed: new Set(), kept: new Map(), knownReceipts: new Set() };

function incoming(options: ReceiptOptions = {}): IncomingInstance {
  return incomingInstances([instanceReceived(receipt(options))])[0]!;
}
const claimedBy = (...batch: IncomingInstance[]): CatalogueState => ({ ...empty, claimed: new Set(batch.map(({ receipt: { receiptId } }) => receiptId)) });

function keptAs(instance: IncomingInstance, more: Partial<KeptInstance> = {}): CatalogueState {
  const { receipt: { tenantId, sopInstanceUid, receiptId, bucket, datasetSha256 }, studyId } = instance;
  return { ...empty, kept: new Map([[instanceKey(tenantId, sopInstanceUid), { id: receiptId, bucket, studyId, version: 1, datasetSha256, ...more }]]) };
}

describe('decideRoles', () => {
  it('takes the first of a UID in the order of the log, whatever its id', () => {
    const [later, earlier] = [incoming({ pixelSeed: 1, receiptId: '0190ffff-0000-7000-8000-000000000001' }), incoming({ pixelSeed: 2, receiptId: '0190aaaa-0000-7000-8000-000000000001' })];
    const { instances, duplicates } = decideRoles([later, earlier], claimedBy(later));
    expect(instances.map((each) => each.incoming)).toEqual([later]);
    expect(duplicates).toMatchObject([{ role: 'conflict', incoming: earlier, kept: { id: later.receipt.receiptId } }]);
  });

  it('knows a receipt again, also within one batch', () => {
    const first = incoming();
    expect(decideRoles([first, first], claimedBy(first))).toMatchObject({ instances: [{ role: 'fresh' }], duplicates: [], known: [first] });
    expect(decideRoles([first], { ...keptAs(first), knownReceipts: new Set([first.receipt.receiptId]) })).toMatchObject({ instances: [], known: [first] });
  });

  it('calls equal bytes under another receipt redundant, even from a source that supersedes', () => {
    const kept = incoming();
    const { duplicates, instances } = decideRoles([incoming({ onConflict: 'supersede' })], keptAs(kept));
    expect(duplicates).toMatchObject([{ role: 'redundant' }]);
    expect(instances).toEqual([]);
  });

  it('supersedes within a study, version by version, also within one batch', () => {
    const kept = incoming();
    const versions = [1, 2].map((pixelSeed) => incoming({ pixelSeed, onConflict: 'supersede' }));
    const { instances, superseded } = decideRoles(versions, keptAs(kept, { version: 4 }));
    expect(instances.map(({ version, state }) => ({ version, state }))).toEqual([{ version: 5, state: 'superseded' }, { version: 6, state: 'current' }]);
    expect(superseded.map(({ id }) => id)).toEqual([kept.receipt.receiptId]);
  });

  it('never supersedes an instance of another study', () => {
    const kept = incoming();
    const moved = incoming({ studyInstanceUid: seededUid('another'), onConflict: 'supersede' });
    expect(decideRoles([moved], keptAs(kept))).toMatchObject({ instances: [], superseded: [], duplicates: [{ role: 'conflict' }] });
  });

  it('does not guess when an instance is neither claimed nor there', () => {
    expect(() => decideRoles([incoming()], empty)).toThrow(expect.objectContaining({ code: 'ILLEGAL_STATE' }));
  });
});
