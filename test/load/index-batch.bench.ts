// How many receipts a second one indexing process takes, on a database of its own. From the root of the workspace:
//   node --conditions=source --no-warnings --import ./libs/testing/src/child-process/source-loader.mjs test/load/index-batch.bench.ts [receipts] [perStudy]
import { existsSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { instanceReceivedSchema, type DicomJsonDataset, type InstanceReceived } from '@perennia/contracts';
import { OutboxWriter } from '@perennia/messaging';
import { SystemClock } from '@perennia/telemetry';
import { IndexBatch, PatientDirectory, incomingInstances } from '@perennia/indexing';
// Not by the name of the library: its index needs Jest.
import { instanceReceived, receipt, seededReceiptId } from '../../libs/testing/src/builders/receipt.js';
import { seededUid } from '../../libs/testing/src/builders/seeded-uid.js';
import { cloneTemplateDatabase } from '../../libs/testing/src/database/template-database.js';

const total = Number(process.argv[2] ?? 60_000);
const perStudy = Number(process.argv[3] ?? 100);
const BATCH = 2000;
const PARALLEL_STUDIES = 8;

/** The texts as a relay appends them: eight senders at once, each sending one study after the other. */
function texts(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    const study = (Math.floor(number / (perStudy * PARALLEL_STUDIES)) * PARALLEL_STUDIES) + (number % PARALLEL_STUDIES);
    const studyInstanceUid = seededUid(`study${study}`);
    const made = receipt({
      receiptId: seededReceiptId(number), studyInstanceUid, seriesInstanceUid: seededUid(`series${study}`), sopInstanceUid: seededUid(`instance${number}`),
      patientId: `P${study % 500}`, patientName: `DOE^JANE${study}`, modality: 'CT', instanceNumber: number, pixelBytes: 64, pixelSeed: number,
    });
    Object.assign(made.attributes.instance, instanceAttributes(made.sopClassUid, made.sopInstanceUid));
    return JSON.stringify(instanceReceived(made, { offset: 64 + number * 4096 }));
  });
}

/** About what a CT image has at instance level. */
function instanceAttributes(sopClassUid: string, sopInstanceUid: string): DicomJsonDataset {
  return {
    '00080005': { vr: 'CS', Value: ['ISO_IR 100'] }, '00080008': { vr: 'CS', Value: ['ORIGINAL', 'PRIMARY', 'AXIAL'] },
    '00080016': { vr: 'UI', Value: [sopClassUid] }, '00080018': { vr: 'UI', Value: [sopInstanceUid] }, '00080022': { vr: 'DA', Value: ['20240131'] },
    '00080023': { vr: 'DA', Value: ['20240131'] }, '00080032': { vr: 'TM', Value: ['101530.250000'] }, '00080033': { vr: 'TM', Value: ['101531.000000'] },
    '00200012': { vr: 'IS', Value: [3] }, '00280002': { vr: 'US', Value: [1] }, '00280004': { vr: 'CS', Value: ['MONOCHROME2'] },
    '00280100': { vr: 'US', Value: [16] }, '00280101': { vr: 'US', Value: [12] }, '00280103': { vr: 'US', Value: [0] },
  };
}

/** CPU of the database's sessions of this process so far. */
async function serverCpu(): Promise<() => number> {
  // One batch opens the sessions that the rest uses.
  const sessions = await Promise.all(Array.from({ length: 4 }, () => database.imaging.query<{ pid: number }>('select pg_backend_pid() as pid, pg_sleep(0.05)')));
  const pids = [...new Set(sessions.map(([session]) => session!.pid))];
  return () => pids.filter((pid) => existsSync(`/proc/${pid}`)).reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * 10;
  }, 0);
}

const database = await cloneTemplateDatabase();
try {
  const indexer = new IndexBatch(database.imaging, new PatientDirectory(database.control), new OutboxWriter('imaging'), new SystemClock());
  instanceReceivedSchema.parse(JSON.parse(texts(0, 1)[0]!));
  let serverMs = 0;
  let spentMs = 0;
  const rates: number[] = [];
  const cpu = process.cpuUsage();
  let preparingUs = 0;
  for (let from = 0; from < total; from += BATCH) {
    const before = process.cpuUsage();
    const batch = texts(from, BATCH);
    const prepared = process.cpuUsage(before);
    preparingUs += prepared.user + prepared.system;
    const serverCpuMs = await serverCpu();
    const startServerMs = serverCpuMs();
    const startMs = performance.now();
    await indexer.apply(incomingInstances(batch.map((text) => JSON.parse(text) as InstanceReceived)));
    const tookMs = performance.now() - startMs;
    spentMs += tookMs;
    serverMs += serverCpuMs() - startServerMs;
    rates.push(Math.round((BATCH / tookMs) * 1000));
    if (rates.length === 2) await database.imaging.query('analyze imaging.study, imaging.series, imaging.instance, imaging.copy, imaging.sop_directory');
  }
  const used = process.cpuUsage(cpu);
  process.stdout.write(JSON.stringify({
    receipts: total, perStudy, perSecond: Math.round((total / spentMs) * 1000), batches: rates,
    serverCpuUsPerReceipt: Math.round((serverMs * 1000) / total),
    ownCpuUsPerReceipt: Math.round((used.user + used.system - preparingUs) / total), receiptBytes: texts(0, 1)[0]!.length,
  }));
} finally {
  await database.close();
}
