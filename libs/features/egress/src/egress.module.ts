// Reading for a process: where instances are, and their bytes from the best copy. Imported by every service that gives objects out.
import { Module } from '@nestjs/common';
import { JobQueue } from '@perennia/jobs';
import { ImagingDatabase } from '@perennia/persistence';
import { PlaceReader, StorageTiers } from '@perennia/storage';
import { InstanceDirectory } from './instance-directory.js';
import { ObjectFeed } from './object-feed.js';
import { ReadInstance } from './read-instance.js';

@Module({
  providers: [
    {
      provide: InstanceDirectory,
      useFactory: (imaging: ImagingDatabase, tiers: StorageTiers) => new InstanceDirectory({ imaging, jobs: new JobQueue(imaging), tiers: tiers.names, trustMs: tiers.trustMs }),
      inject: [ImagingDatabase, StorageTiers],
    },
    { provide: ReadInstance, useFactory: (directory: InstanceDirectory, places: PlaceReader) => new ReadInstance(directory, places), inject: [InstanceDirectory, PlaceReader] },
    { provide: ObjectFeed, useFactory: (read: ReadInstance) => new ObjectFeed(read), inject: [ReadInstance] },
  ],
  exports: [InstanceDirectory, ReadInstance, ObjectFeed],
})
export class EgressModule {}
