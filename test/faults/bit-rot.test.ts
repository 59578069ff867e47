// R16: bits flip in packs and in landing segments, and objects change places. One `vna verify` finds each of them, not one wrong byte is given out,
// and what has a second copy is made anew; what has none is told, and served to nobody.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FoundDatasets, flipBit, Ledger, Product, PromiseChecker, proofLine, SeededRandom, storeMany, swapDatasets, syntheticObject, type SyntheticObject } from '@perennia/testing';
import { runVna } from '../startup/run-vna.js';

/** Full size: 100,000 instances, of which 1,000 rot (npm run proof -- E3). */
const INSTANCES = Number(process.env['VNA_TEST_ROT_INSTANCES'] ?? 2000);
const ROTTEN_OF_1000 = 10;
const PAIRS = INSTANCES >= 100_000 ? 10 : 3;
const PER_STUDY = 50;
/** Stored last, and left in landing segments. */
const UNFILED_SHARE = 0.1;
const SEED = 20261130;
const PIXEL_BYTES = 1500;

interface Verified {
  instances: number;
  copies: number;
  damaged: { sopInstanceUid: string; place: string }[];
}

describe('bit rot', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-rot-'));
  const data = join(directory, 'data');
  const root = `1.2.826.0.1.3680043.10.16.${Date.now()}`;
  const random = new SeededRandom(SEED);
  const next = (below: number): number => random.next(below);
  const ledger = new Ledger(join(directory, 'ledger.jsonl'));
  const objects = new Map<string, SyntheticObject>();
  const filed: string[] = [];
  const unfiled: string[] = [];
  let product: Product;
  let environment: Record<string, string>;

  beforeAll(async () => {
    const tiers = [{ name: 'hot', kind: 'file', directory: 'objects' }, { name: 'copies', kind: 'file', directory: 'copies' }];
    const settings = { VNA_STORAGE_TIERS: JSON.stringify(tiers), VNA_STORAGE_SECOND: 'copies', VNA_LIFECYCLE_SETTLE: '1s', VNA_LOG_LEVEL: 'warn', VNA_LANDING_SEGMENT_SIZE: '16MiB' };
    product = await Product.start({ dataDirectory: data, environment: settings });
    environment = { ...settings, VNA_DATA: data, VNA_HEALTH_PORT: String(product.healthPort), VNA_DICOMWEB_PORT: String(product.httpPort), VNA_INGEST_PORT: String(product.dicomPort) };
    const first = Math.round(INSTANCES * (1 - UNFILED_SHARE));
    await store(0, first, filed);
    await until(({ instances, copies }) => instances === first && copies === 2 * first);
    await product.stop();
    // What comes now stays where it landed.
    await product.restart({ environment: { VNA_LIFECYCLE_SETTLE: '1h' } });
    await store(first, INSTANCES, unfiled);
    await until(({ instances }) => instances === INSTANCES);
  }, 300_000 + INSTANCES * 40);
  afterAll(async () => {
    await product?.stop();
    ledger.close();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  async function store(from: number, to: number, into: string[]): Promise<void> {
    function* batch(): Generator<SyntheticObject> {
      for (let n = from; n < to; n++) {
        const object = syntheticObject({ root, study: 1 + Math.floor(n / PER_STUDY), series: 1, instance: 1000 + (n % PER_STUDY), pixelBytes: PIXEL_BYTES });
        objects.set(object.sopInstanceUid, object);
        into.push(object.sopInstanceUid);
        yield object;
      }
    }
    expect(await storeMany({ dicomPort: product.dicomPort, ledger, objects: batch(), associations: 8 })).toMatchObject({ acknowledged: to - from, refused: {} });
  }
  async function verify(): Promise<Verified> {
    const { stdout, stderr } = await runVna(environment, 'verify', '--json');
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Verified;
  }
  async function until(enough: (verified: Verified) => boolean): Promise<Verified> {
    for (;;) {
      const verified = await verify();
      if (enough(verified)) return verified;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
  /** Takes some out of a list. */
  const draw = (from: string[], count: number): string[] => Array.from({ length: count }, () => from.splice(next(from.length), 1)[0]!);
  const uidsOf = ({ damaged }: Verified): string[] => damaged.map(({ sopInstanceUid }) => sopInstanceUid).toSorted();
  const entriesOf = (wanted: (uid: string) => boolean) => ledger.snapshot().filter(({ studyInstanceUid }) => wanted(studyInstanceUid));
  const studiesOf = (uids: readonly string[]): Set<string> => new Set(uids.map((uid) => objects.get(uid)!.studyInstanceUid));

  it(`given ${(INSTANCES * ROTTEN_OF_1000) / 1000} of ${INSTANCES} instances with a flipped bit and ${PAIRS} pairs that changed places, when vna verify has run once, then it has found every one and no other`, async () => {
    const hot = new FoundDatasets(join(data, 'objects'), objects, root);
    const landing = new FoundDatasets(join(data, 'landing'), objects, root);
    const rotten = (INSTANCES * ROTTEN_OF_1000) / 1000;
    const ofFiled = draw([...filed], Math.round(rotten * (1 - UNFILED_SHARE)));
    const ofUnfiled = draw([...unfiled], rotten - ofFiled.length);
    for (const uid of ofFiled) flipBit(single(hot, uid), next);
    for (const uid of ofUnfiled) flipBit(single(landing, uid), next);
    const swapped = swapPairs(filed.filter((uid) => !ofFiled.includes(uid)), hot);
    const startedMs = performance.now();
    const found = await verify();
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    proofLine(`R16: ${INSTANCES} instances in ${found.copies} copies, ${ofFiled.length} flipped in packs, ${ofUnfiled.length} in landing segments, ${swapped.length / 2} pairs swapped (seed ${SEED}): one vna verify of ${seconds} s found ${found.damaged.length}`);
    expect(uidsOf(found)).toEqual([...ofFiled, ...ofUnfiled, ...swapped].toSorted());
    // What has a second copy is made anew.
    const healedStudies = studiesOf(filed);
    const healed = await until(({ damaged }) => damaged.every(({ sopInstanceUid }) => ofUnfiled.includes(sopInstanceUid)));
    proofLine(`R16: ${ofFiled.length + swapped.length} of ${ofFiled.length + swapped.length} with a second copy were made anew; ${healed.damaged.length} without one are left`);
    expect(uidsOf(healed)).toEqual(ofUnfiled.toSorted());
    const { violations } = await new PromiseChecker(product.web).check(entriesOf((study) => healedStudies.has(study)), 60_000);
    expect(violations).toEqual([]);
    await assertNothingWrongIsServed(ofUnfiled);
  }, 600_000 + INSTANCES * 20);

  it('given bits that flip where nobody has looked for a while, when all studies are read, then every one comes as it was received', async () => {
    await product.stop();
    await product.restart({ environment: { VNA_LIFECYCLE_SETTLE: '1h', VNA_STORAGE_TRUST: '0s' } });
    const hot = new FoundDatasets(join(data, 'objects'), objects, root);
    const ofFiled = draw(filed.filter((uid) => hot.of(uid).length === 1), Math.round((INSTANCES * ROTTEN_OF_1000) / 1000));
    for (const uid of ofFiled) flipBit(single(hot, uid), next);
    const swapped = swapPairs(filed.filter((uid) => !ofFiled.includes(uid) && hot.of(uid).length === 1), hot);
    const studies = studiesOf(filed);
    const { violations, acknowledged } = await new PromiseChecker(product.web).check(entriesOf((study) => studies.has(study)), 60_000);
    proofLine(`R16: ${ofFiled.length} more flipped and ${swapped.length / 2} pairs swapped, then ${acknowledged} instances read: ${violations.length} wrong or missing`);
    expect(violations).toEqual([]);
    await until(({ damaged }) => damaged.every(({ sopInstanceUid }) => !ofFiled.includes(sopInstanceUid) && !swapped.includes(sopInstanceUid)));
  }, 600_000 + INSTANCES * 20);

  /** The only copy of these is bad: an error, or the others of their study, but never other bytes. */
  async function assertNothingWrongIsServed(uids: readonly string[]): Promise<void> {
    for (const uid of uids) {
      const { studyInstanceUid, seriesInstanceUid } = objects.get(uid)!;
      const response = await fetch(`${product.web}/studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances/${uid}`, { headers: { accept: 'application/dicom; transfer-syntax=*' } });
      expect({ uid, status: response.status, reason: ((await response.json()) as { detail: string }).detail }).toEqual({ uid, status: 500, reason: expect.any(String) });
    }
  }
  function swapPairs(from: string[], hot: FoundDatasets): string[] {
    const swapped: string[] = [];
    while (swapped.length < 2 * PAIRS) {
      const [one, other] = draw(from, 2) as [string, string];
      if (single(hot, one).length !== single(hot, other).length) continue;
      swapDatasets(single(hot, one), single(hot, other));
      swapped.push(one, other);
    }
    return swapped;
  }
});

function single(found: FoundDatasets, uid: string) {
  const places = found.of(uid);
  if (places.length === 0) throw new Error(`${uid} stands nowhere.`);
  return places.at(-1)!;
}
