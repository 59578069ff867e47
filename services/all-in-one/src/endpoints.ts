// Where the running archive answers, for people.
import type { EffectiveConfig } from '@perennia/config';
import { DicomwebConfig } from '@perennia/dicomweb/dicomweb.config';
import { IngestConfig } from '@perennia/ingest/ingest.config';
import { RetrieveConfig } from '@perennia/retrieve/retrieve.config';
import { ArchiveConfig } from './archive.config.js';
import { exchangesAssociations } from './association-message.js';

export interface Endpoint {
  name: string;
  address: string;
}

const host = (name: string): string => (name.includes(':') ? `[${name}]` : name);

/** How this machine reaches a server bound to an address. */
export const reachable = (address: string): string => host(address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address);

export function endpointsOf(config: EffectiveConfig): Endpoint[] {
  const { roles, healthHost, healthPort } = config.get(ArchiveConfig);
  const dicom = config.get(IngestConfig);
  const queries = config.get(RetrieveConfig);
  const web = config.get(DicomwebConfig);
  return [
    ...(roles.includes('ingest') ? [{ name: 'DICOM', address: `${host(dicom.host)}:${dicom.port}, AE title ${dicom.aeTitle}` }] : []),
    ...(roles.includes('retrieve') && !exchangesAssociations(roles) ? [{ name: 'Queries', address: `${host(queries.host)}:${queries.port}, AE title ${queries.aeTitle}` }] : []),
    ...(roles.includes('dicomweb') ? [{ name: 'DICOMweb', address: `http://${host(web.host)}:${web.port}${web.pathPrefix}` }] : []),
    { name: 'Health', address: `http://${reachable(healthHost)}:${healthPort}/readyz (also /livez, /metrics)` },
  ];
}

export function endpointTable(config: EffectiveConfig): string {
  const lines = endpointsOf(config).map(({ name, address }) => `  ${name.padEnd(10)}${address}`);
  return `\nPerennia is ready. Data in ${config.get(ArchiveConfig).data}; Ctrl-C stops it.\n\n${lines.join('\n')}\n\n`;
}
