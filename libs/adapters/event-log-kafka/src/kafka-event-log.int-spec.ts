import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Admin } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError, LimitExceededError } from '@perennia/errors';
import type { LogRecord, NewLogRecord } from '@perennia/messaging';
import { createLogger } from '@perennia/telemetry';
import { eventLogContract, hasBackend, hasOwn, KAFKA_PASSWORD, KAFKA_USER, KafkaBroker, spawnSource, startStuckMember } from '@perennia/testing';
import type { KafkaConnection } from './kafka-client.js';
import { KafkaEventLog } from './kafka-event-log.js';
import { checkTopics, createTopics } from './kafka-topics.js';

const log = createLogger('event-log-test', 'silent');
const hasKafka = hasBackend('kafka');
const suite = hasOwn('kafka') ? describe : describe.skip;
const SETTINGS = { partitions: 8, replication: 1 };
/** The shortest that a broker lets a member choose. */
const SESSION_MS = 6000;

const opened: KafkaEventLog[] = [];
async function open(connection: KafkaConnection): Promise<KafkaEventLog> {
  const eventLog = await KafkaEventLog.open({ connection, sessionMs: SESSION_MS, log });
  opened.push(eventLog);
  return eventLog;
}
const connectionTo = (broker: KafkaBroker, clientId = 'test'): KafkaConnection => ({ brokers: broker.brokers, clientId });
const topicNamed = (name: string) => ({ name, keyedBy: 'test', retentionDays: 1 });

/** What an earlier run has left on a broker that is not the test's own. */
async function removeTopics(admin: Admin, topics: readonly { name: string }[]): Promise<void> {
  const names = new Set(topics.map(({ name }) => name));
  const left = async (): Promise<string[]> => (await admin.listTopics()).filter((name) => names.has(name));
  const found = await left();
  if (found.length === 0) return;
  await admin.deleteTopics({ topics: found });
  while ((await left()).length > 0) await new Promise((done) => setTimeout(done, 100));
}

if (hasKafka) {
  eventLogContract('KafkaEventLog', async () => {
    const broker = await KafkaBroker.use();
    const setUp = await KafkaEventLog.open({ connection: connectionTo(broker), log });
    const topics = Array.from({ length: 20 }, (_, n) => topicNamed(`topic.${n + 1}`));
    await setUp.withAdmin('create topics', async (admin) => (await removeTopics(admin, topics), createTopics(admin, SETTINGS, topics)));
    await setUp.close();
    return {
      open: () => KafkaEventLog.open({ connection: connectionTo(broker), sessionMs: SESSION_MS, log }),
      startStuckMember: async (topic, group) => startStuckMember(new URL('./stuck-member.child.ts', import.meta.url), [broker.brokers[0]!, topic, group]),
      close: () => broker.remove(),
    };
  });
}

suite('KafkaEventLog and its cluster', () => {
  let broker: KafkaBroker;
  let topics = 0;

  beforeAll(async () => {
    broker = await KafkaBroker.start();
  }, 120_000);
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });
  afterAll(() => broker?.remove());

  async function newTopic(eventLog: KafkaEventLog): Promise<string> {
    const name = `cluster.${++topics}`;
    await eventLog.withAdmin('create a topic', (admin) => createTopics(admin, SETTINGS, [topicNamed(name)]));
    return name;
  }
  const record = (number: number): NewLogRecord => ({ partition: number % 8, key: `k${number % 8}`, value: JSON.stringify({ number }) });
  const numberOf = ({ value }: LogRecord): number => (JSON.parse(value.toString()) as { number: number }).number;

  it('creates the topics of the archive as they are declared, and tells what differs', async () => {
    const eventLog = await open(connectionTo(broker));
    const findings = (): Promise<unknown> => eventLog.withAdmin('check topics', (admin) => checkTopics(admin, SETTINGS));
    expect(await findings()).toEqual([
      { topic: 'vna.instance.received.v1', state: 'missing' }, { topic: 'vna.study.changed.v1', state: 'missing' }, { topic: 'vna.dead-letter.v1', state: 'missing' },
    ]);
    const created = await eventLog.withAdmin('create topics', (admin) => createTopics(admin, SETTINGS));
    expect(created).toEqual(['vna.instance.received.v1', 'vna.study.changed.v1', 'vna.dead-letter.v1']);
    expect(await eventLog.withAdmin('create topics', (admin) => createTopics(admin, SETTINGS))).toEqual([]);
    expect(await findings()).toEqual(created.map((topic) => ({ topic, state: 'as declared' })));
    const other = await eventLog.withAdmin('check topics', (admin) => checkTopics(admin, { partitions: 128, replication: 3 }));
    expect(other[0]).toEqual({ topic: 'vna.instance.received.v1', state: 'different', reason: '8 partitions instead of 128' });
  });

  it('given a topic that does not exist, then who appends is told how to make it', async () => {
    const eventLog = await open({ ...connectionTo(broker), retries: 3 });
    await expect(eventLog.append('no.such.topic', [record(0)])).rejects.toMatchObject({ constructor: ConfigurationError, remedy: 'Create the topics with "vna topics --create".' });
  }, 60_000);

  it('given a topic that takes only small records, then a larger one is refused and the next is taken', async () => {
    const eventLog = await open(connectionTo(broker));
    await eventLog.withAdmin('create a topic', (admin) => admin.createTopics({ waitForLeaders: true, topics: [{ topic: 'small', numPartitions: 8, replicationFactor: 1, configEntries: [{ name: 'max.message.bytes', value: '2000' }] }] }));
    await expect(eventLog.append('small', [{ partition: 0, key: 'k', value: `"${'x'.repeat(5000)}"` }])).rejects.toBeInstanceOf(LimitExceededError);
    await eventLog.append('small', [record(8)]);
    expect((await eventLog.lag('small', 'nobody'))[0]).toMatchObject({ endOffset: 1 });
  });

  it('given more than a topic takes in one request, then it goes out in several, in order', async () => {
    const eventLog = await open(connectionTo(broker));
    const topic = await newTopic(eventLog);
    const values = Array.from({ length: 12 }, (_, n) => JSON.stringify({ number: n, filler: 'x'.repeat(250_000) }));
    await eventLog.append(topic, values.map((value) => ({ partition: 3, key: 'k', value })));
    const numbers: number[] = [];
    const subscription = await eventLog.subscribe({ topic, group: 'large', maxRecords: 100, handle: async (records) => void numbers.push(...records.map(numberOf)) });
    while (numbers.length < values.length) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(numbers).toEqual(values.map((_, n) => n));
    await subscription.close();
  }, 30_000);

  it('given a handler that takes longer than a session, then nobody else is given its records', async () => {
    const topic = await newTopic(await open(connectionTo(broker)));
    const slow = await open(connectionTo(broker, 'slow'));
    await slow.append(topic, [0, 1, 2, 3].map(record));
    const handled: number[] = [];
    let begun = (): void => {};
    const inHand = new Promise<void>((resolve) => (begun = resolve));
    const handle = async (records: LogRecord[]): Promise<void> => {
      begun();
      await new Promise((resolve) => setTimeout(resolve, SESSION_MS + 2000));
      handled.push(...records.map(numberOf));
    };
    const subscription = await slow.subscribe({ topic, group: 'patient', maxRecords: 10, handle });
    await inHand;
    while (handled.length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await slow.lag(topic, 'patient')).filter(({ committedOffset, endOffset }) => committedOffset !== endOffset)).toEqual([]);
    expect(handled.toSorted()).toEqual([0, 1, 2, 3]);
    await subscription.close();
  }, 60_000);

  it('given a broker that is killed and comes back, then everything appended meanwhile is there and everything is read', async () => {
    const eventLog = await open(connectionTo(broker));
    const topic = await newTopic(eventLog);
    const seen = new Set<number>();
    const subscription = await (await open(connectionTo(broker, 'reader'))).subscribe({ topic, group: 'outage', maxRecords: 50, handle: async (records) => records.forEach((each) => seen.add(numberOf(each))) });
    const appended: Promise<void>[] = [];
    const append = (from: number): void => void appended.push(eventLog.append(topic, Array.from({ length: 20 }, (_, n) => record(from + n))));
    append(0);
    await Promise.all(appended);
    await broker.kill();
    for (let from = 20; from < 200; from += 20) append(from);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await broker.restart();
    await Promise.all(appended);
    while (seen.size < 200) await new Promise((resolve) => setTimeout(resolve, 50));
    await subscription.close();
  }, 90_000);

  it('given a member that sleeps longer than its session, then another goes on, and waking up it neither takes progress back nor keeps anything from being handled', async () => {
    const awake = await open(connectionTo(broker, 'awake'));
    const topic = await newTopic(awake);
    await awake.append(topic, Array.from({ length: 64 }, (_, number) => record(number)));
    const handled = new Set<number>();
    const sleeper = spawnSource(fileURLToPath(new URL('./slow-member.child.ts', import.meta.url)), [broker.brokers[0]!, topic, 'fenced']);
    const begun = once(sleeper, 'message');
    sleeper.on('message', (message: { handled?: number[] }) => message.handled?.forEach((number) => handled.add(number)));
    await begun;
    sleeper.kill('SIGSTOP');
    const subscription = await awake.subscribe({ topic, group: 'fenced', maxRecords: 10, handle: async (records) => records.forEach((each) => handled.add(numberOf(each))) });
    const isBehind = async (): Promise<boolean> => (await awake.lag(topic, 'fenced')).some(({ committedOffset, endOffset }) => committedOffset < endOffset);
    while (await isBehind()) await new Promise((resolve) => setTimeout(resolve, 100));
    sleeper.kill('SIGCONT');
    await awake.append(topic, Array.from({ length: 64 }, (_, number) => record(64 + number)));
    while (handled.size < 128 || (await isBehind())) await new Promise((resolve) => setTimeout(resolve, 100));
    expect([...handled].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 128 }, (_, number) => number));
    const ended = once(sleeper, 'exit');
    sleeper.kill('SIGKILL');
    await ended;
    await subscription.close();
  }, 90_000);

  it('given members that come and go, then every record is handled, in the order of its partition', async () => {
    const producer = await open(connectionTo(broker, 'producer'));
    const topic = await newTopic(producer);
    const handled: number[] = [];
    const join = async (): Promise<{ close(): Promise<void> }> => (await open(connectionTo(broker, `member${opened.length}`))).subscribe({
      topic, group: 'storm', maxRecords: 20,
      handle: async (records) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        handled.push(...records.map(numberOf));
      },
    });
    const stays = await join();
    let sent = 0;
    const storm = (async () => {
      for (let round = 0; round < 4; round++) {
        const guests = await Promise.all([join(), join()]);
        await new Promise((resolve) => setTimeout(resolve, 300));
        await Promise.all(guests.map((guest) => guest.close()));
      }
    })();
    let over = false;
    void storm.finally(() => (over = true));
    while (!over) {
      await producer.append(topic, Array.from({ length: 16 }, () => record(sent++)));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await storm;
    while (new Set(handled).size < sent) await new Promise((resolve) => setTimeout(resolve, 50));
    await stays.close();
    for (let partition = 0; partition < 8; partition++) {
      const firsts = [...new Set(handled.filter((number) => number % 8 === partition))];
      expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
    }
  }, 120_000);
});

suite('KafkaEventLog and who may use the cluster', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await KafkaBroker.start('sasl_tls');
  }, 120_000);
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });
  afterAll(() => broker?.remove());

  const sasl = (password: string): KafkaConnection['sasl'] => ({ mechanism: 'scram-sha-512', username: KAFKA_USER, password });
  const secured = (password: string): KafkaConnection => ({ ...connectionTo(broker), tls: { ca: readFileSync(broker.caFile, 'utf8') }, sasl: sasl(password) });

  it('given the right password over TLS, then records go in and come out', async () => {
    const eventLog = await open(secured(KAFKA_PASSWORD));
    await eventLog.withAdmin('create a topic', (admin) => createTopics(admin, SETTINGS, [topicNamed('secured')]));
    await eventLog.append('secured', [{ partition: 1, key: 'k', value: '"x"' }]);
    const first = new Promise<string>((resolve) => {
      void eventLog.subscribe({ topic: 'secured', group: 'g', maxRecords: 1, handle: async ([only]) => resolve(only!.value.toString()) });
    });
    expect(await first).toBe('"x"');
  }, 60_000);

  it('given a wrong password, then the start says so in one sentence', async () => {
    await expect(open(secured('wrong'))).rejects.toMatchObject({ constructor: ConfigurationError, remedy: 'Check user name, password and mechanism (VNA_KAFKA_USERNAME, VNA_KAFKA_PASSWORD, VNA_KAFKA_MECHANISM).' });
  }, 60_000);

  it('given an authority that is not trusted, then nothing is sent', async () => {
    await expect(open({ ...secured(KAFKA_PASSWORD), tls: {}, retries: 3 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  }, 90_000);
});
