import { deflateRawSync } from 'node:zlib';
import { expect, it } from '@jest/globals';
import { DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN } from '@perennia/dicom-data';
import { HeaderMemory } from '@perennia/dicom-stream';
import type { LandedRecord, Landing } from '@perennia/storage';
import { SystemClock } from '@perennia/telemetry';
import { BlockPool } from './block-pool.js';
import { ByteBudget } from './byte-budget.js';
import { ReceiveObject } from './receive-object.js';
import type { RefusalLog } from './refusal-log.js';
import { LOOPBACK_PROFILE } from './source-profile.js';
import { madeUpObjects } from './warm-up.js';

it('given objects that are refused, given up or stored, then the memory of their sender is free for the next one', async () => {
  const landing = { headroomBytes: 64, append: () => Promise.resolve({} as LandedRecord) } as unknown as Landing;
  const receive = new ReceiveObject({
    landing, refusals: { record: () => undefined } as unknown as RefusalLog, blocks: new BlockPool(new ByteBudget(1 << 24)), clock: new SystemClock(),
  });
  const { dataset, ...command } = [...madeUpObjects(1)][0]!;
  const memory = new HeaderMemory();
  const isFree = (): boolean => {
    const holder = {};
    const levels = memory.take(holder, undefined);
    memory.give(holder);
    return levels !== undefined;
  };
  const begin = (transferSyntaxUid = command.transferSyntaxUid) =>
    receive.begin({ road: 'dimse', profile: LOOPBACK_PROFILE, source: { peer: '127.0.0.1' }, memory, command: { ...command, transferSyntaxUid } });

  const refused = begin();
  await refused.write(dataset.subarray(0, -1));
  expect(isFree()).toBe(false);
  expect((await refused.end()).outcome).toBe('refused');
  expect(isFree()).toBe(true);

  const givenUp = begin();
  await givenUp.write(dataset);
  givenUp.abort();
  expect(isFree()).toBe(true);

  const deflated = begin(DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN);
  await deflated.write(deflateRawSync(dataset));
  expect(isFree()).toBe(true);
  expect((await deflated.end()).outcome).toBe('stored');

  const stored = begin();
  await stored.write(dataset);
  expect((await stored.end()).outcome).toBe('stored');
  expect(isFree()).toBe(true);
});

it('given a sender who goes while the end of his deflated object is being read, then it lands whole', async () => {
  const landed: Buffer[] = [];
  const landing = { headroomBytes: 64, append: (_receipt: string, parts: readonly Uint8Array[]) => (landed.push(Buffer.concat(parts)), Promise.resolve({} as LandedRecord)) } as unknown as Landing;
  const refusals = { record: () => undefined } as unknown as RefusalLog;
  const receive = new ReceiveObject({ landing, refusals, blocks: new BlockPool(new ByteBudget(1 << 24)), clock: new SystemClock() });
  const { sopClassUid, sopInstanceUid, dataset } = [...madeUpObjects(1)][0]!;
  const deflated = deflateRawSync(dataset);
  const sink = receive.begin({
    road: 'dimse', profile: LOOPBACK_PROFILE, source: { peer: '127.0.0.1' }, command: { sopClassUid, sopInstanceUid, transferSyntaxUid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN },
  });
  await sink.write(deflated);
  const outcome = sink.end();
  sink.abort();
  expect((await outcome).outcome).toBe('stored');
  expect(landed.map((bytes) => bytes.subarray(-deflated.length).equals(deflated))).toEqual([true]);
});
