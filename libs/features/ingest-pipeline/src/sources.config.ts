// Section `sources`: who may send.
import { isIP } from 'node:net';
import { defineConfig } from '@perennia/config';
import { z } from 'zod';
import { sourceProfileSchema } from './source-profile.js';

const cidr = (text: string): boolean => {
  const [network, bits] = text.split('/') as [string, string | undefined];
  const family = isIP(network);
  return family !== 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32)));
};

export class SourcesConfig extends defineConfig(
  'sources',
  z.object({
    profiles: z
      .array(sourceProfileSchema.refine(({ addresses }) => addresses.every(cidr), { message: 'addresses must be IP addresses or CIDR ranges' }))
      .default([])
      .meta({
        description: 'Sources that may send, first match counts. Empty: any calling AE from this machine only.',
        unit: 'list of source profiles',
        bound: 'names unique',
      }),
  }),
) {}
