// The metadata of series: from the prebuilt blob where it is of the series' present version (one read, sent as it is), else
// rendered from the headers of the instances, several read at once, in order, streamed.
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ArchiveError, NotFoundError } from '@perennia/errors';
import type { ObjectStore } from '@perennia/storage';
import type { InstanceDirectory } from './instance-directory.js';
import { BASE_URL_MARK, fillMetadataBlob, MetadataBlobWriter } from './metadata-blob.js';
import { metadataText } from './metadata-text.js';
import { orderedWindow } from './ordered-window.js';
import type { ReadInstance } from './read-instance.js';
import type { StoredInstance, StoredSeries } from './stored-instance.js';

/** Groups that are made at once, and instances in each: one step of the chain of generators for all of them. */
const WINDOW = 2;
const GROUP_INSTANCES = 16;
const unpack = promisify(gunzip);

export interface BuiltMetadata {
  /** To be stored and read back with `prebuilt`. */
  blob: Buffer;
  /** The version of the series it is of. */
  version: number;
}

export class SeriesMetadata {
  constructor(
    private readonly directory: InstanceDirectory,
    private readonly readInstance: ReadInstance,
    private readonly store: ObjectStore,
  ) {}

  /** The whole JSON array as gzip, or null: render it. */
  async prebuilt(series: StoredSeries, baseUrl: string): Promise<Buffer[] | null> {
    if (series.metadataKey === null) return null;
    try {
      const info = await this.store.head(series.metadataKey);
      return info && fillMetadataBlob(await this.store.read(series.metadataKey, 0, info.sizeBytes), baseUrl);
    } catch (error) {
      // A derived object: whatever is wrong with it, the headers still tell.
      if (error instanceof ArchiveError) return null;
      throw error;
    }
  }

  /** JSON objects of the instances in their order, several to a text, separated by commas. */
  rendered(instances: readonly StoredInstance[], baseUrl: string): AsyncGenerator<string, void, void> {
    return orderedWindow(groupsOf(instances), WINDOW, async (group) => {
      const texts = await Promise.all(group.map((instance) => metadataText(this.readInstance, instance, baseUrl)));
      return texts.join(',');
    });
  }

  /** The objects of a series as text without brackets, from wherever is quickest; '' when it has none. */
  async *inner(tenantId: string, series: StoredSeries, baseUrl: string): AsyncGenerator<string, void, void> {
    const prebuilt = await this.prebuilt(series, baseUrl);
    if (prebuilt) {
      yield (await unpack(Buffer.concat(prebuilt))).toString().slice(1, -1);
      return;
    }
    const { studyInstanceUid, seriesInstanceUid } = series;
    let first = true;
    for await (const text of this.rendered(await this.directory.instances({ tenantId, studyInstanceUid, seriesInstanceUid }, 'listed'), baseUrl)) {
      yield first ? text : `,${text}`;
      first = false;
    }
  }

  /** Makes the blob of a series as it is now; the caller stores it only if the version is still the same. */
  async build(bucket: number, seriesId: string): Promise<BuiltMetadata> {
    const series = await this.directory.seriesById(bucket, seriesId);
    if (!series) throw new NotFoundError('There is no such series.');
    const writer = new MetadataBlobWriter();
    writer.add('[');
    for await (const text of this.inner(series.tenantId, series, BASE_URL_MARK)) writer.add(text);
    writer.add(']');
    return { blob: writer.finish(), version: series.version };
  }
}

function* groupsOf(instances: readonly StoredInstance[]): Generator<readonly StoredInstance[]> {
  for (let at = 0; at < instances.length; at += GROUP_INSTANCES) yield instances.slice(at, at + GROUP_INSTANCES);
}
