import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { InstanceReceived, Place } from '@perennia/contracts';
import { PlaceMovedError } from '@perennia/errors';
import { ConsumerRunner, DeadLetters, OutboxWriter, type LogRecord } from '@perennia/messaging';
import { CatalogueStatistics } from '@perennia/persistence';
import { PlaceReader } from '@perennia/storage';
import { Metrics, SystemClock, createLogger, NoTracing } from '@perennia/telemetry';
import { MemoryEventLog, MemoryLogStore, cloneTemplateDatabase, instanceReceived, receipt, receivedEnvelope, seededUid, type ReceiptOptions, type TestDatabase } from '@perennia/testing';
import { IndexBatch } from './index-batch.js';
import { IndexReceipts } from './index-receipts.js';
import { IndexedNotice } from './indexed-notice.js';
import { PatientDirectory } from './patient-directory.js';
import { ReceiptConsumer } from './receipt-consumer.js';

class ReceiptsOnly extends PlaceReader {
  readonly texts = new Map<string, string>();
  read = (): Promise<Buffer> => Promise.reject(new PlaceMovedError('Not here.'));
  readStream = (): never => {
    throw new PlaceMovedError('Not here.');
  };
  override receipt = ({ key }: Place): Promise<string> => Promise.resolve(this.texts.get(key)!);
}

const clock = new SystemClock();
const log = createLogger('test', 'silent');
const reader = new ReceiptsOnly();
let database: TestDatabase;
let consumer: ReceiptConsumer;

beforeAll(async () => {
  database = await cloneTemplateDatabase();
  const { imaging, control } = database;
  const eventLog = new MemoryEventLog(new MemoryLogStore(8));
  const metrics = new Metrics();
  consumer = new ReceiptConsumer({
    runner: new ConsumerRunner({ eventLog, deadLetters: new DeadLetters(control, eventLog, clock), metrics, clock, log }),
    indexer: new IndexReceipts(new IndexBatch(imaging, new PatientDirectory(control), new OutboxWriter('imaging'), clock), new NoTracing()),
    reader, notice: new IndexedNotice(imaging, clock, log), statistics: new CatalogueStatistics(imaging), clock, metrics, log, batchReceipts: 100,
  });
});
afterAll(async () => {
  await consumer.stop();
  await database.close();
});
beforeEach(() => database.imaging.query('truncate imaging.study, imaging.series, imaging.instance, imaging.copy, imaging.sop_directory, imaging.duplicate'));

const made = (options: ReceiptOptions = {}): InstanceReceived => instanceReceived(receipt(options));
const record = (data: InstanceReceived): LogRecord => ({ topic: 't', partition: 0, offset: 1, key: 'k', value: Buffer.from(JSON.stringify(receivedEnvelope(data))) });

describe('ReceiptConsumer', () => {
  it('completes a receipt whose frame index was too large for the log from the landing record', async () => {
    const whole = receipt({ sopInstanceUid: seededUid('large') });
    const place = { key: 'test/stream-7@7' };
    reader.texts.set(place.key, JSON.stringify({ ...whole, frameIndex: { kind: 'encapsulated', frames: 9000, offset: 1000, source: 'basic', ranges: 'AAAA' } }));
    await consumer.handle([record(instanceReceived({ ...whole, frameIndex: { kind: 'reference', frames: 9000 }, attributes: { study: {}, series: {}, instance: {} } }, place)), record(made())]);
    expect(await database.imaging.query('select frame_index, attributes <> $$ {} $$ as attributed from imaging.instance where sop_instance_uid = $1', [whole.sopInstanceUid])).toEqual([
      { frame_index: { kind: 'encapsulated', frames: 9000, offset: 1000, source: 'basic', ranges: 'AAAA' }, attributed: true },
    ]);
  });

  it('stores values with characters that PostgreSQL cannot hold, without them', async () => {
    const data = made({ patientName: 'A\0B\ud800' });
    await consumer.handle([record(data)]);
    expect(await database.imaging.query('select patient_name from imaging.study')).toEqual([{ patient_name: 'AB\ufffd' }]);
  });

  it('refuses what is no receipt as a fault of the data, not of the database', async () => {
    await expect(consumer.handle([{ ...record(made()), value: Buffer.from('{"data":{}}') }])).rejects.toMatchObject({ code: 'INVALID_INPUT', retriable: false });
    await expect(consumer.handle([{ ...record(made()), value: Buffer.from('nonsense') }])).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(consumer.handle([record(made({ tenantId: 'nobody' }))])).rejects.toMatchObject({ retriable: false });
    // Nobody parses the attributes of an instance before the database does.
    const broken = Buffer.from(record(made()).value.toString().replace('"instance":{"', '"instance":{,"'));
    await expect(consumer.handle([{ ...record(made()), value: broken }])).rejects.toMatchObject({ retriable: false });
  });
});
