// Stores a known number of objects in a cluster and tells how many requests its object store took for them: by all processes, until every
// object is filed, and until its landing objects are removed.
import { LANDING_TIER } from '@perennia/contracts';
import { DicomRequestor } from '@perennia/dicom-net';
import { Client } from 'pg';
import type { Cluster } from './cluster.js';
import type { Product } from './product.js';
import { stow } from './sender.js';
import { syntheticObject, type SyntheticObject } from './synthetic-object.js';

export interface CountedCase {
  road: 'dimse' | 'stow';
  /** Associations or connections. */
  parallel: number;
  studies: number;
  perStudy: number;
  pixelBytes: number;
  /** Objects of one STOW body. */
  perBody?: number;
  /** Do not wait until the landing objects are removed, which takes a restart of those who receive. */
  keepLanding?: boolean;
}

export interface CountedResult {
  instances: number;
  storeMs: number;
  /** Until all of it is filed; releasing apart. */
  requests: Record<string, number>;
  /** What removing its landing objects took. */
  releaseRequests: number;
}

const POLL_MS = 100;
let roots = 0;

/** @throws when an object is refused, or not filed within two minutes */
export async function countedStore(cluster: Cluster, one: CountedCase): Promise<CountedResult> {
  const root = `1.2.826.0.1.3680043.10.5.${Date.now()}.${++roots}`;
  const studies = Array.from({ length: one.studies }, (_, study) =>
    Array.from({ length: one.perStudy }, (_each, instance) => syntheticObject({ root, study: study + 1, series: 1, instance: instance + 1, pixelBytes: one.pixelBytes })));
  const products = [...cluster.members.values()];
  const instances = one.studies * one.perStudy;
  const database = new Client({ connectionString: cluster.postgres.url });
  await database.connect();
  try {
    const filed = await filedCopies(database);
    const before = await requestsOf(products);
    const startedMs = performance.now();
    await (one.road === 'dimse' ? storeAll(cluster, studies, one.parallel) : stowAll(cluster, studies, one));
    const storeMs = performance.now() - startedMs;
    await untilFiled(database, filed + instances);
    const requests = difference(await requestsOf(products), before);
    return { instances, storeMs, requests, releaseRequests: one.keepLanding ? 0 : await released(cluster, database) };
  } finally {
    await database.end();
  }
}

/** One study stays on one association, where there are as many. */
async function storeAll(cluster: Cluster, studies: readonly SyntheticObject[][], parallel: number): Promise<void> {
  await Promise.all(Array.from({ length: parallel }, async (_, number) => {
    const { sopClassUid, transferSyntaxUid } = studies[0]![0]!;
    const association = await DicomRequestor.connect({
      host: '127.0.0.1', port: cluster.dicomPort, callingAet: `COUNTED${number}`, calledAet: 'PERENNIA', contexts: [{ abstractSyntax: sopClassUid, transferSyntaxes: [transferSyntaxUid] }],
    });
    const whole = studies.length >= parallel;
    for (const object of whole ? studies.filter((_study, at) => at % parallel === number).flat() : studies.flat().filter((_object, at) => at % parallel === number)) {
      const { status } = await association.store(object);
      if (status !== 0) throw new Error(`An object was answered with ${status.toString(16)}.`);
    }
    await association.release();
  }));
}

async function stowAll(cluster: Cluster, studies: readonly SyntheticObject[][], { parallel, perBody = 50 }: CountedCase): Promise<void> {
  const objects = studies.flat();
  const bodies = Array.from({ length: Math.ceil(objects.length / perBody) }, (_, at) => objects.slice(at * perBody, (at + 1) * perBody));
  await Promise.all(Array.from({ length: parallel }, async () => {
    for (let body = bodies.shift(); body; body = bodies.shift()) {
      const stored = await stow(cluster.web, body);
      if (stored.length !== body.length) throw new Error(`Of ${body.length} objects ${stored.length} were stored.`);
    }
  }));
}

/** Requests by operation since the processes began. */
export async function requestsOf(products: readonly Product[]): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { healthPort } of products) {
    const text = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text();
    for (const [, labels, count] of text.matchAll(/^vna_store_request_seconds_count\{([^}]*)\} (\d+)/gm)) {
      const operation = /operation="([^"]+)"/.exec(labels!)![1]!;
      sums[operation] = (sums[operation] ?? 0) + Number(count);
    }
  }
  return sums;
}

/** Every object stands in a pack, and no metadata is still to be built. */
async function untilFiled(database: Client, copies: number): Promise<void> {
  const jobs = `from imaging.job where queue = 'build-metadata' and state in ('queued', 'running')`;
  await until('objects are filed', async () => (await filedCopies(database)) >= copies && (await rows(database, jobs)) === 0);
}

const filedCopies = (database: Client): Promise<number> => rows(database, `from imaging.copy where tier <> '${LANDING_TIER}'`);

async function rows(database: Client, what: string): Promise<number> {
  return Number((await database.query<{ count: string }>(`select count(*) ${what}`)).rows[0]!.count);
}

/** A start finds every segment sealed, and gives back what is filed. */
async function released(cluster: Cluster, database: Client): Promise<number> {
  const landing = [...cluster.membersOf('ingest'), ...cluster.membersOf('dicomweb')];
  for (const each of landing) {
    await each.stop();
    await each.restart();
  }
  await until('landing objects are removed', async () => (await rows(database, `from imaging.segment where state <> 'released'`)) === 0);
  const { DeleteObject = 0, DeleteObjects = 0 } = await requestsOf(landing);
  // Opening the store removes its probe.
  return DeleteObject + DeleteObjects - landing.length;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + 120_000; !(await holds()); await new Promise((done) => setTimeout(done, POLL_MS))) {
    if (performance.now() > endMs) throw new Error(`Two minutes were not enough until ${what}.`);
  }
}

function difference(after: Record<string, number>, before: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([operation, count]) => [operation, count - (before[operation] ?? 0)]).filter(([, count]) => count !== 0));
}
