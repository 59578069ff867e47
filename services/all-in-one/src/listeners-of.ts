// The listeners that a configuration asks for.
import type { EffectiveConfig } from '@perennia/config';
import { DicomwebConfig } from '@perennia/dicomweb/dicomweb.config';
import { IngestConfig } from '@perennia/ingest/ingest.config';
import { RetrieveConfig } from '@perennia/retrieve/retrieve.config';
import { SourcesConfig } from '@perennia/ingest-pipeline/sources.config';
import { exchangesAssociations } from './association-message.js';
import type { Listener } from './listeners.js';
import { ArchiveConfig } from './archive.config.js';
import type { RoleName } from './process-groups.js';

export function listenersOf(config: EffectiveConfig, roles: readonly RoleName[]): Listener[] {
  const dicom = config.get(IngestConfig);
  const queries = config.get(RetrieveConfig);
  const web = config.get(DicomwebConfig);
  const listeners: Listener[] = [];
  if (roles.includes('ingest')) {
    listeners.push({
      name: 'DICOM listener', host: dicom.host, port: dicom.port, hostVariable: 'VNA_INGEST_HOST', portVariable: 'VNA_INGEST_PORT',
      peersAreKnown: config.get(SourcesConfig).profiles.length > 0, remedy: 'List the senders under sources.profiles',
    });
  }
  if (roles.includes('retrieve') && !exchangesAssociations(roles)) {
    listeners.push({
      name: 'DICOM listener for queries', host: queries.host, port: queries.port, hostVariable: 'VNA_RETRIEVE_HOST', portVariable: 'VNA_RETRIEVE_PORT',
      peersAreKnown: config.get(SourcesConfig).profiles.length > 0, remedy: 'List the askers under sources.profiles',
    });
  }
  if (roles.includes('dicomweb')) {
    listeners.push({
      name: 'DICOMweb server', host: web.host, port: web.port, hostVariable: 'VNA_DICOMWEB_HOST', portVariable: 'VNA_DICOMWEB_PORT',
      peersAreKnown: false, remedy: 'Put a proxy that signs people in before it',
    });
  }
  listeners.push({
    name: 'health server', host: config.get(ArchiveConfig).healthHost, port: config.get(ArchiveConfig).healthPort, hostVariable: 'VNA_HEALTH_HOST', portVariable: 'VNA_HEALTH_PORT',
    peersAreKnown: true, remedy: '',
  });
  return listeners;
}
