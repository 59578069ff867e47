// Section `dicomweb`: the DICOMweb server.
import { isIP } from 'node:net';
import { countOption, defineConfig, durationOption, portOption, textOption } from '@perennia/config';
import { z } from 'zod';

const isNetwork = (text: string): boolean => {
  const [address, bits] = text.split('/') as [string, string | undefined];
  const family = isIP(address);
  return family !== 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32)));
};
const isWebUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !text.endsWith('/');

export class DicomwebConfig extends defineConfig(
  'dicomweb',
  z.object({
    host: textOption('Address the DICOMweb server binds', '127.0.0.1'),
    port: portOption('TCP port of the DICOMweb server', 8080),
    pathPrefix: z
      .string()
      .regex(/^(\/[A-Za-z0-9._~-]+)*$/)
      .default('/dicom-web')
      .meta({ description: 'Path before /studies, without a slash at its end', unit: 'path', bound: 'slash and unreserved characters' }),
    tenantId: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
      .default('default')
      .meta({ description: 'Tenant whose studies are searched and retrieved', unit: 'tenant id', bound: '1 to 32 characters' }),
    publicUrl: z
      .string()
      .refine(isWebUrl, { message: 'must be an http or https URL without a slash at its end' })
      .optional()
      .meta({ description: 'URL under which clients reach the service, path included; absent: told from each request', unit: 'URL', bound: 'http or https' }),
    trustedProxies: z
      .array(z.string().refine(isNetwork, { message: 'must be an IP address or CIDR range' }))
      .default([])
      .meta({ description: 'Proxies whose Forwarded and X-Forwarded headers are believed', unit: 'IP addresses', bound: 'addresses or CIDR ranges' }),
    corsOrigins: z
      .array(z.string().refine((text) => text === '*' || (isWebUrl(text) && new URL(text).origin === text), { message: 'must be * or an origin like https://viewer.example' }))
      .default([])
      .meta({ description: 'Origins whose pages may read from here (CORS); empty: none', unit: 'origins', bound: 'origins or *' }),
    acknowledge: z
      .enum(['indexed', 'durable'])
      .default('indexed')
      .meta({ description: 'STOW-RS answers when instances can be found too, or as soon as they are durable', unit: 'enum', bound: 'indexed, durable' }),
    defaultLimit: countOption({ meaning: 'Results of a search that names no limit', default: 1000, min: 1, max: 25_000 }),
    maxLimit: countOption({ meaning: 'Most results of one answer', default: 25_000, min: 1, max: 100_000 }),
    maxOffset: countOption({ meaning: 'Farthest offset; pages beyond it are reached by Link', default: 10_000, min: 0, max: 1_000_000 }),
    maxFollowers: countOption({ meaning: 'Clients that follow the change feed at the same time', default: 100, min: 0, max: 10_000 }),
    changesHeartbeat: durationOption({
      meaning: 'Silence after which followers of the change feed get a comment; never more than half of writeIdleTimeout', default: '15s', min: '50ms', max: '10m',
    }),
    headersTimeout: durationOption({ meaning: 'Time to send the headers of a request', default: '10s', min: '100ms', max: '5m' }),
    bodyIdleTimeout: durationOption({ meaning: 'Silence within an upload after which it is given up', default: '10s', min: '100ms', max: '10m' }),
    bodyStartTimeout: durationOption({ meaning: 'Silence at the beginning of an upload that announces 1 GiB or more', default: '900ms', min: '100ms', max: '10m' }),
    writeIdleTimeout: durationOption({ meaning: 'Time a receiver may take nothing of an answer', default: '60s', min: '100ms', max: '1h' }),
  }),
) {}
