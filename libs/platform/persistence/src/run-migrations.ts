// The migrations of the two planes, in order. They are hand-written SQL; TypeORM only runs them.
import { Identity1763769600000 } from './control/migrations/1763769600000-identity.js';
import { ControlQueues1763769600002 } from './control/migrations/1763769600002-control-queues.js';
import { DeadLetterReplay1795732800000 } from './control/migrations/1795732800000-dead-letter-replay.js';
import { RemoteNodes1796083200000 } from './control/migrations/1796083200000-remote-nodes.js';
import { Catalogue1763769600001 } from './imaging/migrations/1763769600001-catalogue.js';
import { ImagingQueues1763769600003 } from './imaging/migrations/1763769600003-imaging-queues.js';
import { FilingClaims1795732800002 } from './imaging/migrations/1795732800002-filing-claims.js';
import { LandingOwners1795732800004 } from './imaging/migrations/1795732800004-landing-owners.js';
import { InstanceSample1764080400005 } from './imaging/migrations/1764080400005-instance-sample.js';
import { migrateSchema, pendingMigrations, type MigrationClass, type SchemaMigrations } from './migrate-schema.js';

export const planeMigrations: { control: readonly MigrationClass[]; imaging: readonly MigrationClass[] } = {
  control: [Identity1763769600000, ControlQueues1763769600002, DeadLetterReplay1795732800000, RemoteNodes1796083200000],
  imaging: [Catalogue1763769600001, ImagingQueues1763769600003, InstanceSample1764080400005, FilingClaims1795732800002, LandingOwners1795732800004],
};

export interface PlaneUrls {
  controlUrl: string;
  imagingUrl: string;
}

export const planeSchemas = ({ controlUrl, imagingUrl }: PlaneUrls): SchemaMigrations[] => [
  { url: controlUrl, schema: 'control', migrations: planeMigrations.control },
  { url: imagingUrl, schema: 'imaging', migrations: planeMigrations.imaging },
];

/** Safe under concurrent starts; quick when there is nothing to do. Changes neither plane when one of them is too new. @throws SchemaTooNewError */
export async function runMigrations(urls: PlaneUrls): Promise<{ control: number; imaging: number }> {
  for (const each of planeSchemas(urls)) await pendingMigrations(each);
  const control = await migrateSchema(urls.controlUrl, 'control', planeMigrations.control);
  const imaging = await migrateSchema(urls.imagingUrl, 'imaging', planeMigrations.imaging);
  return { control, imaging };
}
